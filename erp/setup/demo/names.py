"""The people, suppliers and goods of the demo company. All of them are invented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

COMPANY: dict[str, Any] = {
    "name": "Huachen Precision Co., Ltd.", "name_zh": "华辰精密传动有限公司", "tax_number": "91320594MA0DEMO88X",
    "address": "88 Jinji Lake Avenue, Suzhou Industrial Park", "address_zh": "苏州工业园区金鸡湖大道88号",
    "phone": "+86 512 6288 0001", "email": "info@huachen.example", "bank_name": "苏州银行园区支行",
    "bank_account": "3205 0188 6600 1234", "set_up": True,
}  # fmt: skip

# code, name, code of the department above
DEPARTMENTS = (
    ("SALES", "Sales 销售部", "HQ"),
    ("EAST", "Sales East 华东销售组", "SALES"),
    ("SOUTH", "Sales South 华南销售组", "SALES"),
    ("PUR", "Purchasing 采购部", "HQ"),
    ("STOCK", "Warehouse 仓储部", "HQ"),
    ("FIN", "Finance 财务部", "HQ"),
    ("HR", "Human resources 人事部", "HQ"),
)
# code, name
POSITIONS = (
    ("GM", "General manager 总经理"), ("SM", "Sales manager 销售经理"), ("SE", "Sales engineer 销售工程师"),
    ("WK", "Warehouse keeper 仓管员"), ("BY", "Buyer 采购员"), ("AC", "Accountant 会计"), ("HR", "HR officer 人事专员"),
    ("AU", "Auditor 审计"),
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """Somebody who logs in to the demo; `heads` is the department that person heads."""

    username: str
    name: str
    role: str
    department: str
    position: str
    heads: str = ""


PEOPLE = (
    Person("admin", "Chen Jing 陈静", "administrator", "HQ", "GM", "HQ"),
    Person("sales", "Li Man 李曼", "sales", "EAST", "SE", "EAST"),
    Person("sales2", "Wang Lei 王磊", "sales", "SOUTH", "SE", "SOUTH"),
    Person("manager", "Zhou Lan 周岚", "sales-manager", "SALES", "SM", "SALES"),
    Person("warehouse", "Xu Qiang 徐强", "warehouse", "STOCK", "WK", "STOCK"),
    Person("buyer", "Sun Yue 孙悦", "purchasing", "PUR", "BY", "PUR"),
    Person("accountant", "Zhao Min 赵敏", "accountant", "FIN", "AC"),
    Person("chief", "Gao Hong 高宏", "chief-accountant", "FIN", "AC", "FIN"),
    Person("hr", "He Fang 何芳", "hr", "HR", "HR", "HR"),
    Person("auditor", "Lin Tao 林涛", "auditor", "HQ", "AU"),
)


@dataclass(frozen=True)
class Partner:
    """A supplier: name, place, contact, and the currency we pay in."""

    name: str
    city: str
    region: str
    contact: str
    country: str = "中国"
    currency: str = "CNY"


SUPPLIERS = (
    Partner("上海恒川电机有限公司", "上海", "上海", "马建国"), Partner("宁波德力传动件厂", "宁波", "浙江", "胡丽"),
    Partner("常州锐进直线导轨有限公司", "常州", "江苏", "郑凯"), Partner("东莞市合优联轴器厂", "东莞", "广东", "罗敏"),
    Partner("无锡中驰伺服技术有限公司", "无锡", "江苏", "谢宇"), Partner("台州金泰轴承有限公司", "台州", "浙江", "方芳"),
    Partner("苏州恒锐机加工厂", "苏州", "江苏", "吴勇"), Partner("深圳市讯联线缆有限公司", "深圳", "广东", "黄雪"),
    Partner("温州市立信气动元件厂", "温州", "浙江", "林峰"), Partner("青岛海拓包装有限公司", "青岛", "山东", "丁香"),
    Partner("Takumi Motion K.K.", "Osaka", "", "K. Tanaka", "Japan", "USD"),
    Partner("Hohenfeld Antriebstechnik GmbH", "Stuttgart", "", "J. Weber", "Germany", "USD"),
)  # fmt: skip

# code, Chinese name, English name
GROUPS = (
    ("linear", "直线模组", "Linear modules"), ("guide", "导轨丝杆", "Guides and screws"), ("servo", "伺服系统", "Servo systems"),
    ("coupling", "联轴器", "Couplings"), ("bearing", "轴承", "Bearings"), ("accessory", "配件", "Accessories"),
    ("labour", "服务", "Services"),
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """A product: prices in CNY without tax, position of its supplier, and how much of it goes on one order line."""

    code: str
    name: str
    name_en: str
    group: str
    price: str
    cost: str
    supplier: int
    least: int
    most: int
    unit: str = "pc"


PRODUCTS = (
    Item("LM-45-300", "直线模组 45 行程300", "Linear module 45, stroke 300", "linear", "1680", "1040", 2, 2, 16),
    Item("LM-65-500", "直线模组 65 行程500", "Linear module 65, stroke 500", "linear", "2450", "1530", 2, 2, 14),
    Item("LM-85-800", "直线模组 85 行程800", "Linear module 85, stroke 800", "linear", "3980", "2520", 2, 1, 10),
    Item("LM-110-1000", "直线模组 110 行程1000", "Linear module 110, stroke 1000", "linear", "5860", "3760", 2, 1, 8),
    Item("LM-140-1500", "直线模组 140 行程1500", "Linear module 140, stroke 1500", "linear", "8900", "5900", 6, 1, 5),
    Item("LM-XY-400", "XY 双轴平台 400×400", "XY stage 400 × 400", "linear", "14800", "9650", 6, 1, 3),
    Item("GR-15-600", "直线导轨 15 长600", "Linear guide 15, length 600", "guide", "186", "108", 2, 10, 80),
    Item("GR-20-800", "直线导轨 20 长800", "Linear guide 20, length 800", "guide", "268", "160", 2, 10, 80),
    Item("GR-25-1000", "直线导轨 25 长1000", "Linear guide 25, length 1000", "guide", "396", "240", 2, 6, 60),
    Item("BS-1605-500", "滚珠丝杆 1605 长500", "Ball screw 1605, length 500", "guide", "320", "196", 1, 6, 50),
    Item("BS-2010-800", "滚珠丝杆 2010 长800", "Ball screw 2010, length 800", "guide", "545", "345", 1, 4, 40),
    Item("BS-2510-1200", "滚珠丝杆 2510 长1200", "Ball screw 2510, length 1200", "guide", "890", "570", 1, 2, 24),
    Item("SV-100W", "伺服电机 100W", "Servo motor 100 W", "servo", "860", "560", 4, 4, 30),
    Item("SV-400W", "伺服电机 400W", "Servo motor 400 W", "servo", "1180", "770", 4, 4, 30),
    Item("SV-750W", "伺服电机 750W", "Servo motor 750 W", "servo", "1560", "1020", 4, 2, 24),
    Item("SV-1500W", "伺服电机 1.5kW", "Servo motor 1.5 kW", "servo", "2680", "1790", 10, 1, 12),
    Item("SD-400W", "伺服驱动器 400W", "Servo drive 400 W", "servo", "1390", "905", 0, 4, 30),
    Item("SD-750W", "伺服驱动器 750W", "Servo drive 750 W", "servo", "1690", "1110", 0, 2, 24),
    Item("SD-1500W", "伺服驱动器 1.5kW", "Servo drive 1.5 kW", "servo", "2490", "1670", 10, 1, 12),
    Item("MC-16", "运动控制器 16轴", "Motion controller, 16 axes", "servo", "6800", "4480", 11, 1, 4),
    Item("CP-D25", "膜片联轴器 D25", "Disc coupling D25", "coupling", "96", "52", 3, 20, 150),
    Item("CP-D34", "膜片联轴器 D34", "Disc coupling D34", "coupling", "138", "76", 3, 20, 120),
    Item("CP-D44", "膜片联轴器 D44", "Disc coupling D44", "coupling", "198", "112", 3, 10, 80),
    Item("BR-6204", "深沟球轴承 6204", "Ball bearing 6204", "bearing", "24.5", "13.2", 5, 50, 400),
    Item("BR-7205", "角接触轴承 7205", "Angular contact bearing 7205", "bearing", "78", "45", 5, 20, 150),
    Item("CB-ENC-5", "编码器线 5米", "Encoder cable 5 m", "accessory", "128", "68", 7, 10, 60),
    Item("CB-PWR-5", "动力线 5米", "Power cable 5 m", "accessory", "98", "52", 7, 10, 60),
    Item("SN-PROX", "接近开关 NPN", "Proximity switch NPN", "accessory", "46.8", "24.6", 8, 20, 120),
    Item("SRV-INSTALL", "现场安装调试", "Installation and commissioning", "labour", "1800", "0", -1, 1, 3, "job"),
    Item("SRV-TRAIN", "操作培训", "Operator training", "labour", "480", "0", -1, 2, 8, "h"),
)
