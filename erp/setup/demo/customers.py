"""The customers of the demo company, and the people there. All of them are invented."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Buyer:
    """A customer: `weight` is its share of the orders, `limit` its credit limit in thousands (0: none)."""

    name: str
    short: str
    city: str
    region: str
    owner: str
    grade: str
    weight: int
    terms: str
    limit: int = 0
    action: str = "warn"
    country: str = "中国"
    currency: str = "CNY"
    industry: str = "自动化设备"


CUSTOMERS = (
    Buyer("苏州明锐精密机械有限公司", "明锐精密", "苏州", "江苏", "sales", "A", 14, "NET30", 2600),
    Buyer("无锡恒拓自动化科技有限公司", "恒拓自动化", "无锡", "江苏", "sales", "A", 12, "NET60", 2400),
    Buyer("昆山博远智能装备有限公司", "博远智能", "昆山", "江苏", "sales", "A", 9, "EOM30", 1800),
    Buyer("上海启源机器人有限公司", "启源机器人", "上海", "上海", "sales", "B", 8, "NET30", 1500, industry="机器人"),
    Buyer("杭州聚能新能源设备有限公司", "聚能新能源", "杭州", "浙江", "sales", "B", 6, "NET60", 1600, industry="新能源"),
    Buyer("宁波海川注塑机械有限公司", "海川注塑", "宁波", "浙江", "sales", "B", 5, "NET30", 900),
    Buyer("南京天工数控有限公司", "天工数控", "南京", "江苏", "sales", "B", 5, "EOM30", 900, industry="机床"),
    Buyer("常熟宏图纺织机械厂", "宏图纺机", "常熟", "江苏", "sales", "C", 3, "NET30", 120, "hold", industry="纺织机械"),
    Buyer("嘉兴立新包装设备有限公司", "立新包装", "嘉兴", "浙江", "sales", "C", 3, "NET0", industry="包装机械"),
    Buyer("合肥光耀检测技术有限公司", "光耀检测", "合肥", "安徽", "sales", "C", 2, "NET30", 400, industry="检测设备"),
    Buyer("Nordwerk Maschinenbau GmbH", "Nordwerk", "Bremen", "", "sales", "B", 4, "NET60", country="Germany", currency="USD"),
    Buyer("Brightwell Automation Ltd.", "Brightwell", "Leeds", "", "sales", "C", 3, "NET30", country="United Kingdom",
          currency="USD"),
    Buyer("深圳市锐驰激光设备有限公司", "锐驰激光", "深圳", "广东", "sales2", "A", 12, "NET30", 2600, industry="激光设备"),
    Buyer("东莞市华创自动化有限公司", "华创自动化", "东莞", "广东", "sales2", "A", 10, "NET60", 2200),
    Buyer("佛山市精艺陶瓷机械有限公司", "精艺陶机", "佛山", "广东", "sales2", "B", 7, "EOM30", 1300, industry="陶瓷机械"),
    Buyer("广州南方智造科技有限公司", "南方智造", "广州", "广东", "sales2", "B", 6, "NET30", 1200),
    Buyer("珠海市蓝海电子设备有限公司", "蓝海电子", "珠海", "广东", "sales2", "B", 5, "NET30", 900, industry="电子设备"),
    Buyer("厦门翔云医疗器械有限公司", "翔云医疗", "厦门", "福建", "sales2", "B", 4, "NET60", 800, industry="医疗器械"),
    Buyer("中山市力合五金机械厂", "力合五金", "中山", "广东", "sales2", "C", 3, "NET30", 100, "refuse", industry="五金"),
    Buyer("惠州市德润电池装备有限公司", "德润电池", "惠州", "广东", "sales2", "C", 3, "NET30", 600, industry="新能源"),
    Buyer("南宁市桂能自动化有限公司", "桂能自动化", "南宁", "广西", "sales2", "D", 2, "NET0"),
    Buyer("长沙市星宇工程机械有限公司", "星宇工程", "长沙", "湖南", "sales2", "C", 2, "NET30", 500, industry="工程机械"),
    Buyer("Harbor Robotics Inc.", "Harbor Robotics", "Oakland", "", "sales2", "B", 4, "NET30", country="United States",
          currency="USD", industry="机器人"),
    Buyer("Lotus Systems Pte. Ltd.", "Lotus Systems", "Singapore", "", "sales2", "C", 3, "NET60", country="Singapore",
          currency="USD"),
    Buyer("武汉光谷视觉科技有限公司", "光谷视觉", "武汉", "湖北", "manager", "C", 2, "NET30", 500, industry="机器视觉"),
)  # fmt: skip

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = (
    "伟",
    "芳",
    "娜",
    "敏",
    "静",
    "强",
    "磊",
    "洋",
    "艳",
    "勇",
    "杰",
    "娟",
    "涛",
    "超",
    "霞",
    "平",
    "刚",
    "丹",
    "辉",
    "玲",
)
FOREIGN = ("Anna Berg", "James Cole", "Sofia Hart", "Peter Lang", "Mei Tan", "David Reed", "Laura King", "Omar Aziz")
# job title, part in the purchase
TITLES = (("采购经理", "采购"), ("技术总监", "决策"), ("设备工程师", "使用"), ("财务主管", "付款"))
FOREIGN_TITLES = (("Purchasing manager", "buys"), ("Head of engineering", "decides"), ("Accounts payable", "pays"))

TALKS = (
    ("call", "确认下月用量，客户希望交期缩短到两周。"), ("visit", "现场看了新产线，计划增加两条直线模组工位。"),
    ("wechat", "发送了 2026 版样册和报价单。"), ("email", "回复了技术问题：750W 伺服的刹车版本可以供货。"),
    ("meeting", "与采购和技术一起过了框架协议的价格条款。"), ("call", "提醒对账，客户说月底前安排付款。"),
    ("visit", "样机测试通过，等待正式订单。"), ("wechat", "客户反馈联轴器包装需要加防锈袋。"),
)  # fmt: skip
FOREIGN_TALKS = (
    ("email", "Sent the price list for servo sets and answered questions about export documents."),
    ("call", "Discussed lead times; they plan a second line next spring."),
    ("meeting", "Video call with engineering: the 110 module fits, a sample will be ordered."),
)
REASONS = ("项目延期", "客户改用自产件", "规格变更后重新下单", "预算被取消")
# title, channel, state that it reaches
PLANS = (
    ("华东自动化展 2026", "fair", "finish"), ("伺服套装春季促销", "mail", "launch"), ("华南客户技术日", "event", ""),
)  # fmt: skip
