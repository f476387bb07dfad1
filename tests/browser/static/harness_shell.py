"""The frame around every page of the harness: navigation, language, the person, as a context processor."""


def shell(request):
    if request.path.startswith(("/login", "/bare")):
        return {"request": request}
    zh = request.LANGUAGE_CODE == "zh-hans"

    def w(en, chinese):
        return chinese if zh else en

    def group(en, chinese, icon, *items, section=""):
        entries = [
            {"label": w(*item[:2]), "url": item[2], "current": request.path == item[2], "count": 0} for item in items
        ]
        here = any(entry["current"] for entry in entries)
        return {"label": w(en, chinese), "icon": icon, "url": None, "open": here, "items": entries, "section": section}

    return {
        "shell": {
            "company": {"name": w("Huachen Precision", "华辰精密"), "initial": "H"},
            "user_initials": w("LC", "陈"),
            "user_name": w("Chen Li", "陈立"),
            "language": request.LANGUAGE_CODE,
            "theme": request.COOKIES.get("theme", "light"),
            "density": request.COOKIES.get("density", "standard"),
            "nav_top": [
                {
                    "label": w("My desk", "我的工作台"),
                    "url": "/desk/",
                    "icon": "house",
                    "current": request.path == "/desk/",
                    "count": 0,
                },
                {
                    "label": w("To do", "待办"),
                    "url": "/todo/",
                    "icon": "inbox",
                    "current": False,
                    "count": 12,
                    "hot": True,
                },
                {
                    "label": w("Calendar & tasks", "日程与任务"),
                    "url": "/cal/",
                    "icon": "calendar",
                    "current": False,
                    "count": 3,
                },
            ],
            "nav_phone": [
                {
                    "label": w("Customers", "客户"),
                    "url": "/customer/",
                    "icon": "users",
                    "current": request.path == "/customer/",
                }
            ],
            "nav": [
                group(
                    "CRM",
                    "客户关系",
                    "users",
                    ("Customers", "客户", "/customer/"),
                    ("Customer pool", "公海", "/p/"),
                    ("Leads", "线索", "/l/"),
                    section=w("Business", "业务"),
                ),
                group(
                    "Sales",
                    "销售",
                    "shopping-cart",
                    ("Quotations", "报价单", "/q/"),
                    ("Sales orders", "销售订单", "/list/"),
                    ("New order", "新建订单", "/order/"),
                ),
                group("Purchasing", "采购", "truck", ("Orders", "采购订单", "/po/")),
                group("Inventory", "库存", "package", ("Products", "商品", "/pr/")),
                group("Approvals", "审批", "stamp", ("For me", "待我处理", "/ap/"), section=w("Office", "办公")),
            ],
            "nav_foot": [
                {
                    "label": w("Reports", "报表中心"),
                    "url": "/rep/",
                    "icon": "chart-column",
                    "current": False,
                    "count": 0,
                },
                {"label": w("Settings", "设置"), "url": "/set/", "icon": "settings", "current": False, "count": 0},
            ],
            "create": [
                {"label": w("Sales order", "销售订单"), "url": "/order/", "key": "o"},
                {"label": w("Customer", "客户"), "url": "/customer/", "key": "c"},
            ],
            "todo": 12,
            "unread": 3,
        }
    }
