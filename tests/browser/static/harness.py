"""A small Django site of its own for the static parts: shell, list, order, customer, login, with a fake server behind
the pickers and the line grid. It needs no database. Run it and open http://127.0.0.1:8123/order/ :

    .venv/bin/python tests/browser/static/harness.py 8123
"""

import json
import sys
import time
from decimal import Decimal, InvalidOperation
from functools import partial
from math import prod
from pathlib import Path
from socketserver import ThreadingMixIn
from types import SimpleNamespace
from wsgiref.simple_server import WSGIServer, make_server

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT))

import django  # noqa: E402
from django.conf import settings  # noqa: E402

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def policy(get_response):
    def middleware(request):
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY
        return response

    return middleware


settings.configure(
    DEBUG=True,
    DATA_UPLOAD_MAX_NUMBER_FIELDS=6000,
    SECRET_KEY="harness",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "js_lib_bootstrap5",
        "django_htmx",
        "crispy_forms",
        "crispy_bootstrap5",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        f"{__name__}.policy",
    ],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    MESSAGE_STORAGE="django.contrib.messages.storage.cookie.CookieStorage",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [HERE / "pages", ROOT / "templates"],
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.messages.context_processors.messages",
                    "harness_shell.shell",
                ],
                "libraries": {name: f"kit.templatetags.{name}" for name in ("icons", "frame")},
            },
        }
    ],
    LANGUAGES=[("en", "English"), ("zh-hans", "简体中文")],
    LANGUAGE_CODE="en",
    LOCALE_PATHS=[ROOT / "locale"],
    STATIC_URL="/static/",
    STATICFILES_DIRS=[ROOT / "static"],
    USE_TZ=True,
    CRISPY_ALLOWED_TEMPLATE_PACKS="bootstrap5",
    CRISPY_TEMPLATE_PACK="bootstrap5",
)
django.setup()

import harness_lines  # noqa: E402
from django import forms  # noqa: E402
from django.contrib import messages  # noqa: E402
from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse, HttpResponseRedirect  # noqa: E402
from django.shortcuts import render  # noqa: E402
from django.urls import include, path  # noqa: E402
from django.utils.html import format_html, format_html_join  # noqa: E402

PRODUCTS = [
    ("1", "LM20-0400", "Linear module LM20, stroke 400", "1280.00"),
    ("2", "LM20-0600", "Linear module LM20, stroke 600", "1460.00"),
    ("3", "SV-750W", "Servo motor 750 W with brake", "1180.00"),
    ("4", "SR-15A-L460", "Ball guide rail 15A, 460 mm", "164.00"),
    ("5", "SR-15A-L580", "Ball guide rail 15A, 580 mm", "198.00"),
    ("6", "CP-25-19", "Disc coupling 25-19", "86.50"),
    ("7", "MX-明锐", "明锐专用支架", "55.00"),
]
CUSTOMERS = [
    ("12", "C-001", "Suzhou Mingrui 明锐"),
    ("13", "C-002", "Hangzhou Yunduan"),
    ("14", "C-003", "Wuxi Hengtuo"),
]
LOG = SimpleNamespace(computes=[], posts=[], delay=0.0, status=200)


def language(request):
    response = HttpResponseRedirect(request.POST.get("next") or "/")
    response.set_cookie("django_language", request.POST["language"])
    return response


def picker(request, kind):
    time.sleep(0.03)
    query = request.GET.get("q", "").lower()
    source = PRODUCTS if kind == "product" else [(*row, "") for row in CUSTOMERS]
    hits = [row for row in source if query in f"{row[1]} {row[2]}".lower()][:10]
    rows = format_html_join(
        "",
        '<div class="o" role="option" data-value="{}" data-label="{}" data-code="{}"><span class="c">{}</span><span class="m">{}</span><span class="num">{}</span></div>',
        (
            (row[0], row[1] if kind == "product" else f"{row[1]} {row[2]}", row[1], row[1], row[2], row[3])
            for row in hits
        ),
    )
    new = (
        format_html('<div class="o new" role="option" data-create="/new-customer/">＋ Create “{}”</div>', query)
        if kind == "customer"
        else ""
    )
    return HttpResponse(
        format_html(
            '<div class="ac" role="listbox">{}{}<div class="ft"><span><kbd>↑</kbd> <kbd>↓</kbd> choose</span><span><kbd>Enter</kbd> take</span></div></div>',
            rows,
            new,
        )
    )


def new_customer(request):
    if request.method == "POST":
        LOG.posts.append(dict(request.POST.lists()))
        time.sleep(0.1)
        if not request.POST.get("name"):
            return HttpResponse(drawer(request, "", "Name is missing."), status=422)
        response = HttpResponse(status=204)
        response["HX-Trigger"] = json.dumps({"picked": {"value": 99, "label": f"C-099 {request.POST['name']}"}})
        return response
    return HttpResponse(drawer(request, request.GET.get("name", "")))


def drawer(request, name, error=""):
    return format_html(
        '<form hx-post="/new-customer/" hx-target="#drawer" method="post"><header class="hd"><h2>New customer</h2><button type="button" class="icb push" data-close aria-label="Close">×</button></header>'
        '<div class="bdy">{}<div class="fld"><label for="n">Name</label><input class="inp" id="n" name="name" value="{}"></div></div>'
        '<footer class="ftr"><button type="button" class="bt" data-close>Cancel</button><button class="bt pri">Save customer</button></footer></form>',
        format_html('<div class="errsum"><h2>{}</h2></div>', error) if error else "",
        name,
    )


def number(text):
    text = (text or "0").replace(",", "").strip().removeprefix("=")
    try:
        return sum((prod(Decimal(factor) for factor in part.split("*")) for part in text.split("+")), Decimal(0))
    except InvalidOperation:
        return None


def compute(request):
    post = harness_lines.unfolded(request.POST)
    LOG.computes.append({"changed": post.get("changed"), "seq": post.get("seq"), "keys": list(post)})
    time.sleep(LOG.delay)
    if LOG.status != 200:
        return HttpResponse("broken", status=LOG.status)
    out = []
    total = Decimal(0)
    indexes = [key.split("-")[1] for key in post if key.startswith("lines-") and key.endswith("-product_text")]
    changed = indexes if post["changed"] == "all" else post["changed"].split(",")
    for index in indexes:
        get = lambda name: post.get(f"lines-{index}-{name}", "")  # noqa: E731, B023
        if f"lines-{index}-packed" in request.POST:
            if index in changed:
                out.append(harness_lines.answer(index, request.POST, (number(get("quantity")) or 0) * 10))
            total += (number(get("quantity")) or 0) * 10
            continue
        product = next(
            (p for p in PRODUCTS if p[0] == get("product") or p[1].lower() == get("product_text").strip().lower()), None
        )
        quantity, price = number(get("quantity")), number(get("price"))
        if product and not price and index in changed:
            price = Decimal(product[3])
        amount = (quantity or 0) * (price or 0)
        total += amount
        if index not in changed:
            continue
        if get("product_text") and not product:
            out.append(
                format_html(
                    '<tr class="rowerr" id="lines-{}-err"><td colspan="9">No product “{}”.</td></tr>',
                    index,
                    get("product_text"),
                )
            )
            out.append(
                format_html(
                    '<input id="lines-{}-product_text" aria-invalid="true" value="{}">', index, get("product_text")
                )
            )
        if product:
            out.append(
                format_html(
                    '<input id="lines-{0}-product_text" value="{1}"><input type="hidden" id="lines-{0}-product" value="{2}"><input id="lines-{0}-description" value="{3}"><input id="lines-{0}-price" value="{4}">',
                    index,
                    product[1],
                    product[0],
                    product[2],
                    f"{price:,.2f}",
                )
            )
        if quantity is None:
            out.append(
                format_html(
                    '<tr class="rowerr" id="lines-{0}-err"><td colspan="9">Quantity: “{1}” is not a number.</td></tr>',
                    index,
                    get("quantity"),
                )
            )
        elif quantity and post.get(f"lines-{index}-quantity", "").startswith("="):
            out.append(format_html('<input id="lines-{0}-quantity" value="{1}">', index, f"{quantity:g}"))
        hints = {"quantity": "36 available."} if (quantity or 0) > 36 else {}
        out.append(format_html('<i id="lines-{}-hints" data-hints="{}"></i>', index, json.dumps(hints)))
        wrong = "No such day." if get("due") == "never" else ""
        out.append(format_html('<div class="errlist" id="lines-{}-due-err">{}</div>', index, wrong))
        out.append(format_html('<output id="lines-{}-amount">{}</output>', index, f"{amount:,.2f}"))
    out.append(
        format_html(
            '<b class="tn" id="livetotal" data-announce-total>¥ {0}</b><td class="num" id="foot-total">{0}</td>',
            f"{total:,.2f}",
        )
    )
    response = HttpResponse("".join(out))
    response["X-Seq"] = post["seq"]
    return response


def order(request):
    if request.method == "POST":
        LOG.posts.append(dict(request.POST.lists()))
        if request.POST.get("fail"):
            return render(request, "order.html", {"failed": True}, status=422)
        time.sleep(0.3)
        messages.success(request, "Order saved.")
        return HttpResponseRedirect("/order/")
    context = {"details": "details" in request.GET, "folded": harness_lines.folded(int(request.GET.get("rows", "4")))}
    return render(request, "order.html", context)


ROWS = [
    ("0187", "Suzhou Mingrui Automation", "2026-11-23", "2026-12-05", "Chen Li", "draft", "Draft", 0, "140,048.00"),
    ("0186", "Hangzhou Yunduan Precision", "2026-11-22", "2026-12-03", "Li Man", "viol", "In approval", 0, "56,200.00"),
    ("0179", "Ningbo Haoli Drives", "2026-11-18", "2026-11-26", "Chen Li", "info", "In progress", 40, "212,640.00"),
    (
        "0176",
        "Guangzhou Jieke Packaging Machinery",
        "2026-11-17",
        "2026-11-22",
        "Zhao Qiming",
        "warn",
        "On hold",
        30,
        "73,115.00",
    ),
    ("0162", "Nanjing Qiyuan Optics", "2026-11-08", "2026-11-16", "Zhao Qiming", "ok", "Completed", 100, "45,900.00"),
    ("0159", "Dongguan Lichi CNC", "2026-11-06", "2026-11-15", "Chen Li", "ok", "Completed", 100, "−12,480.00"),
]


def records(request):
    page = int(request.GET.get("page", 1))
    rows = [(f"{page}{n}{row[0]}", *row) for n in range(4) for row in ROWS]
    context = {"rows": rows, "page": page, "q": request.GET.get("q", "")}
    return render(request, "list_part.html" if request.headers.get("HX-Request") else "list.html", context)


class Sample(forms.Form):
    name = forms.CharField(help_text="As on the licence.")
    mail = forms.EmailField()
    kind = forms.ChoiceField(choices=[("a", "Trader"), ("b", "Factory")])
    days = forms.IntegerField(initial=60)
    tags = forms.MultipleChoiceField(
        choices=[("x", "Key account"), ("y", "Export")], widget=forms.CheckboxSelectMultiple
    )
    grade = forms.ChoiceField(choices=[("A", "A"), ("B", "B")], widget=forms.RadioSelect)
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}))
    file = forms.FileField(required=False)
    active = forms.BooleanField(label="Active customer")


def parts(request):
    return render(request, "parts.html", {"form": Sample({"name": "x", "mail": "wrong"}), "clean": Sample()})


def note(request):
    response = HttpResponse(status=204)
    response["HX-Trigger"] = '{"toast": {"level": "success", "text": "Archived 3 orders.", "undo_url": "/undo/"}}'
    return response


def status(request, code):
    return HttpResponse("x", status=code)


def knob(request):
    """The test turns the fake server's knobs and reads what it saw."""
    LOG.delay = float(request.GET.get("delay", LOG.delay))
    LOG.status = int(request.GET.get("status", LOG.status))
    if request.GET.get("clear"):
        LOG.computes.clear()
        LOG.posts.clear()
    from django.http import JsonResponse

    return JsonResponse({"computes": LOG.computes, "posts": LOG.posts})


def page(template, **context):
    return lambda request: render(request, template, context)


kit = (
    [
        path("search/", records, name="search"),
        path("language/", language, name="language"),
        path("todo/", note, name="todo"),
        path("bell/", note, name="notifications"),
        path("prefs/", note, name="preferences"),
        path("me/", note, name="profile"),
    ],
    "kit",
)
urlpatterns = [
    path("", include(kit)),
    path("login/", page("registration/login.html", next="/desk/"), name="login"),
    path("logout/", note, name="logout"),
    path("pick/<slug:kind>/", picker),
    path("new-customer/", new_customer),
    path("compute/", compute),
    path("paste/", partial(harness_lines.paste, products=PRODUCTS)),
    path("choose/", partial(harness_lines.choose, products=PRODUCTS)),
    path("scan/", partial(harness_lines.scan, products=PRODUCTS)),
    path("order/", order),
    path("list/", records),
    path("customer/", page("customer.html")),
    path("desk/", page("desk.html")),
    path("parts/", parts),
    path("archive/", note),
    path("undo/", note),
    path("status/<int:code>/", status),
    path("knob/", knob),
    path("bare/404/", page("404.html")),
    path("e403/", page("403.html", exception="You may not open sales orders of South region.")),
    path("bare/500/", page("500.html")),
]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def serve(port):
    from wsgiref.simple_server import WSGIRequestHandler

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args):
            pass

    return make_server("127.0.0.1", port, StaticFilesHandler(get_wsgi_application()), Server, Quiet)


if __name__ == "__main__":
    serve(int(sys.argv[1]) if len(sys.argv) > 1 else 8123).serve_forever()
