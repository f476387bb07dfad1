"""Invented names of the demo company's world."""

from __future__ import annotations

# user name, name, role, department, position
PEOPLE = (
    ("admin", "周岚", "administrator", "HQ", "it"),
    ("manager", "陈立", "sales-manager", "SALES", "manager"),
    ("sales", "李曼", "sales", "EAST", "sales"),
    ("sales2", "王珂", "sales", "SOUTH", "sales"),
    ("warehouse", "孙强", "warehouse", "STOCK", "keeper"),
    ("buyer", "赵启明", "purchasing", "BUY", "buyer"),
    ("accountant", "何芳", "accountant", "FIN", "accountant"),
    ("chief", "吴敏", "chief-accountant", "FIN", "manager"),
    ("hr", "林雨", "hr", "HR", "officer"),
    ("auditor", "郑文", "auditor", "HQ", "auditor"),
)
DEPARTMENTS = (
    ("SALES", "销售部", "HQ"), ("EAST", "华东销售组", "SALES"), ("SOUTH", "华南销售组", "SALES"), ("BUY", "采购部", "HQ"),
    ("STOCK", "仓储部", "HQ"), ("FIN", "财务部", "HQ"), ("HR", "人事行政部", "HQ"),
)
POSITIONS = (
    ("manager", "部门经理"), ("sales", "销售工程师"), ("keeper", "仓库管理员"), ("buyer", "采购员"), ("accountant", "会计"),
    ("officer", "人事专员"), ("auditor", "审计"), ("it", "系统管理员"),
)
# code, name, English name, group, unit, price, cost
PRODUCTS = (
    ("LM20-0400", "直线模组 LM20 行程400", "Linear module LM20, stroke 400", "MOTION", "set", 1280, 820),
    ("LM20-0600", "直线模组 LM20 行程600", "Linear module LM20, stroke 600", "MOTION", "set", 1460, 930),
    ("LM30-0800", "直线模组 LM30 行程800", "Linear module LM30, stroke 800", "MOTION", "set", 2380, 1560),
    ("SR-15A-L460", "滚珠导轨 15A 460mm", "Ball guide rail 15A, 460 mm", "MOTION", "pc", 164, 98),
    ("SR-15A-L580", "滚珠导轨 15A 580mm", "Ball guide rail 15A, 580 mm", "MOTION", "pc", 198, 118),
    ("SR-20B-L640", "滚珠导轨 20B 640mm", "Ball guide rail 20B, 640 mm", "MOTION", "pc", 246, 149),
    ("BS-1605-500", "滚珠丝杠 1605 500mm", "Ball screw 1605, 500 mm", "MOTION", "pc", 318, 196),
    ("SV-400W", "伺服电机 400W", "Servo motor 400 W", "DRIVE", "pc", 860, 585),
    ("SV-750W", "伺服电机 750W 带刹车", "Servo motor 750 W with brake", "DRIVE", "pc", 1180, 790),
    ("SD-400", "伺服驱动器 400W", "Servo drive 400 W", "DRIVE", "pc", 920, 610),
    ("SD-750", "伺服驱动器 750W", "Servo drive 750 W", "DRIVE", "pc", 1090, 735),
    ("PLC-32", "可编程控制器 32点", "PLC, 32 points", "DRIVE", "pc", 1560, 1040),
    ("HMI-07", "7寸触摸屏", "Touch panel, 7 inch", "DRIVE", "pc", 980, 640),
    ("CP-25-19", "膜片联轴器 25-19", "Disc coupling 25-19", "PARTS", "pc", 86.5, 48),
    ("CP-32-24", "膜片联轴器 32-24", "Disc coupling 32-24", "PARTS", "pc", 118, 66),
    ("BR-6204", "深沟球轴承 6204", "Deep groove bearing 6204", "PARTS", "pc", 18.6, 9.4),
    ("SN-M12", "接近开关 M12", "Proximity switch M12", "PARTS", "pc", 42, 22.5),
    ("CB-PUR-5", "高柔电缆 5芯", "High-flex cable, 5 cores", "PARTS", "m", 16.8, 8.9),
    ("DC-20-40", "拖链 20x40", "Cable carrier 20x40", "PARTS", "m", 58, 31),
    ("GB-PLF60", "行星减速机 PLF60", "Planetary gearbox PLF60", "DRIVE", "pc", 890, 560),
    ("SRV-INST", "现场安装调试", "On-site installation", "SERVICE", "job", 6800, 0),
    ("SRV-TRAIN", "操作培训", "Operator training", "SERVICE", "job", 3200, 0),
)
# name, short name, city, country, industry, grade, credit limit, owner
CUSTOMERS = (
    ("苏州明锐自动化设备有限公司", "苏州明锐", "苏州", "中国", "工业自动化", "A", 800000, "sales"),
    ("杭州云端精工科技有限公司", "杭州云端精工", "杭州", "中国", "电子制造", "A", 600000, "sales"),
    ("无锡恒拓机电有限公司", "无锡恒拓机电", "无锡", "中国", "机电设备", "B", 300000, "sales"),
    ("宁波昊力传动设备有限公司", "宁波昊力传动", "宁波", "中国", "传动设备", "A", 500000, "sales"),
    ("上海赛沃智能装备有限公司", "上海赛沃智能", "上海", "中国", "智能装备", "A", 900000, "sales"),
    ("合肥科迅机器人有限公司", "合肥科迅", "合肥", "中国", "机器人", "B", 300000, "sales"),
    ("南京启元光电有限公司", "南京启元光电", "南京", "中国", "光电", "B", 200000, "sales"),
    ("常州锦程自动化有限公司", "常州锦程", "常州", "中国", "工业自动化", "C", 100000, "sales"),
    ("青岛海卓液压有限公司", "青岛海卓", "青岛", "中国", "液压", "B", 250000, "sales"),
    ("广州捷科包装机械有限公司", "广州捷科", "广州", "中国", "包装机械", "A", 500000, "sales2"),
    ("深圳微塔传感技术有限公司", "深圳微塔传感", "深圳", "中国", "传感器", "A", 450000, "sales2"),
    ("东莞力驰数控设备有限公司", "东莞力驰数控", "东莞", "中国", "数控设备", "B", 300000, "sales2"),
    ("佛山嘉铭陶瓷机械有限公司", "佛山嘉铭", "佛山", "中国", "陶瓷机械", "C", 120000, "sales2"),
    ("厦门鹭航精密仪器有限公司", "厦门鹭航", "厦门", "中国", "仪器", "B", 200000, "sales2"),
    ("武汉光谷激光装备有限公司", "武汉光谷激光", "武汉", "中国", "激光", "A", 600000, "sales2"),
    ("西安航锐精密制造有限公司", "西安航锐", "西安", "中国", "航空", "B", 350000, "sales2"),
    ("Northwind Packaging Ltd", "Northwind Packaging", "Bristol", "United Kingdom", "Packaging", "B", 300000, "sales2"),
    ("Alpine Robotics GmbH", "Alpine Robotics", "Graz", "Austria", "Robotics", "A", 500000, "sales"),
)
CONTACTS = (("周志远", "采购经理", "buys"), ("林宇", "设备工程师", "uses"), ("何方", "财务", "pays"), ("陈建国", "总经理", "decides"))
# name, city, phone, what it delivers
SUPPLIERS = (
    ("台州精导传动件厂", "台州", "0576 8810 2201", "MOTION"),
    ("深圳锐速伺服技术有限公司", "深圳", "0755 2688 9002", "DRIVE"),
    ("宁波联合轴承有限公司", "宁波", "0574 8722 1180", "PARTS"),
    ("上海通芯电气有限公司", "上海", "021 5488 6003", "DRIVE"),
    ("温州宏达拖链有限公司", "温州", "0577 6188 2040", "PARTS"),
    ("Rhein Motion AG", "Mannheim", "+49 621 410 220", "MOTION"),
)
TALKS = (
    ("call", "第二批样品重复定位精度 ±0.01，下周安装。客户仍希望在框架价上再降 2%。"),
    ("visit", "参观了新产线，预计明年一季度扩产两条，需要直线模组约 120 套。"),
    ("wechat", "已发送最新报价与交期，客户内部审批中。"),
    ("note", "客户对账周期改为每月 25 日，请财务注意。"),
    ("email", "Asked for the CE certificates of the servo drives; sent today."),
)
