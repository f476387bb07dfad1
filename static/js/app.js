// Entry of our own JavaScript: plain modules that enhance [data-…]; everything also works without them.
// Each module has start() (once, delegated listeners) and may have enhance(root) (again for swapped parts).

import "./ime.js"; // first: its listeners must run before all others
import * as combo from "./combo.js";
import * as dates from "./dates.js";
import * as dialog from "./dialog.js";
import * as draft from "./draft.js";
import * as forms from "./forms.js";
import * as grid from "./grid.js";
import * as gridchoose from "./gridchoose.js";
import * as griddetails from "./griddetails.js";
import * as gridhints from "./gridhints.js";
import * as gridpages from "./gridpages.js";
import * as gridpaste from "./gridpaste.js";
import * as gridscan from "./gridscan.js";
import * as keys from "./keys.js";
import * as list from "./list.js";
import * as shell from "./shell.js";
import * as toast from "./toast.js";
import * as upload from "./upload.js";

// the order of start() is the order in which a key press meets the modules: the innermost first
const modules = [dates, dialog, gridscan, gridchoose, combo, grid, griddetails, gridhints, gridpages, gridpaste, forms, list, keys, draft, toast, upload, shell];

const enhance = (root) => { for (const module of modules) module.enhance?.(root); };

for (const module of modules) module.start?.();
enhance(document);
document.addEventListener("htmx:load", (event) => enhance(event.detail?.elt || event.target));
document.addEventListener("fresh", (event) => enhance(event.target));
