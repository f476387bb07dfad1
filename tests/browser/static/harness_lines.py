"""The fake server behind pasted rows and scanned codes: it knows a list of products and nothing else."""

import json

from django.http import HttpResponse
from django.utils.html import format_html, format_html_join


def _row(number, line, to, products):
    """Code, anything, quantity: a row of the preview."""
    product = next((p for p in products if p[1].lower() == line[0].lower()), None)
    if product is None:
        return format_html('<tr data-line="{}"><td>{}</td><td>No product</td></tr>', number, line[0])
    cells = {"product": {"text": product[1], "id": product[0]}, "quantity": {"text": line[2]}}
    attributes = (number, to, json.dumps(cells), product[1])
    return format_html('<tr data-line="{}" data-to="{}" data-cells="{}"><td>{}</td></tr>', *attributes)


def paste(request, products):
    """The preview of a block that begins at an empty row."""
    block, targets = json.loads(request.POST["paste"]), iter([request.POST["at"]])
    rows = []
    for number, line in enumerate(block, start=1):
        known = any(p[1].lower() == line[0].lower() for p in products)
        rows.append((_row(number, line, next(targets, "") if known else "", products),))
    return HttpResponse(
        format_html(
            '<div class="w720" data-layer-body data-pasted><header class="hd"><h2>Pasted rows</h2></header><div class="bdy">'
            '<table class="g"><tbody>{}</tbody></table></div><footer class="ftr"><button type="button" class="bt" data-close>'
            'Cancel</button><button type="button" class="bt pri" data-take autofocus>Take</button></footer></div>',
            format_html_join("", "{}", rows),
        )
    )


def scan(request, products):
    """One more of a product, in its row or in a new one."""
    post, code = request.POST, request.POST["code"]
    product = next((p for p in products if p[1].lower() == code.lower()), None)
    if product is None:
        return HttpResponse(format_html('<div data-scanned="no" data-words="No code {}" data-started=""></div>', code))
    rows = [name.split("-")[1] for name in post if name.endswith("-product") and post[name] == product[0]]
    if rows:
        count = int(post[f"lines-{rows[0]}-quantity"]) + 1
        to, cells = rows[0], {"quantity": {"text": str(count)}}
    else:
        count, to = 1, ""
        cells = {"product": {"text": product[1], "id": product[0]}, "quantity": {"text": "1"}}
    return HttpResponse(
        format_html(
            '<div data-scanned="yes" data-words="{} × {}" data-started=""><i data-to="{}" data-cells="{}"></i></div>',
            product[1],
            count,
            to,
            json.dumps(cells),
        )
    )


def folded(count):
    """Rows behind the first four, each as one hidden input."""
    return [
        (n, json.dumps({"product_text": "CP-25-19", "product": "6", "quantity": str(n), "price": "10"}))
        for n in range(4, count)
    ]


def unfolded(post):
    """What the rows of a form would post."""
    made = {}
    for name in post:
        made[name] = post[name]
        if name.endswith("-packed"):
            made |= {name.replace("packed", part): text for part, text in json.loads(post[name]).items()}
            made.setdefault(name.replace("packed", "product_text"), "")
    return made


def answer(index, post, amount):
    """A packed row with its amount."""
    name = f"lines-{index}-packed"
    return format_html(
        '<input id="{}" value="{}" data-shown="{}">', name, post[name], json.dumps({"o": {"amount": f"{amount:,.2f}"}})
    )


def choose(request, products):
    """The drawer that offers products to choose many of."""
    text = request.GET.get("q", "").lower()
    rows = format_html_join(
        "",
        '<tr data-pick="{0}" data-text="{1}"><td><input type="checkbox" aria-label="{1}"></td><td>{1}</td>'
        '<td><input class="inp num" aria-label="Qty {1}"></td></tr>',
        ((p[0], p[1]) for p in products if text in p[1].lower()),
    )
    return HttpResponse(
        format_html(
            '<div class="w720" data-layer-body data-choose="product" data-count="quantity"><header class="hd"><h2>Find</h2></header>'
            '<div class="bdy"><input type="search" name="q" autofocus data-choose-search hx-get="/choose/" hx-trigger="input changed delay:50ms" '
            'hx-target="#choose-found" hx-select="#choose-found" hx-swap="outerHTML"><table class="g"><tbody id="choose-taken"></tbody>'
            '<tbody id="choose-found">{}</tbody></table></div><footer class="ftr"><button type="button" class="bt" data-close>Cancel</button>'
            '<button type="button" class="bt pri" data-choose-take disabled>Take</button></footer></div>',
            rows,
        )
    )
