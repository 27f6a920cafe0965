"""Text for calibration pages, made up from a seed: words of forms and signs, random common characters, Latin by rule, numbers."""

# Words of everyday printed matter, written down for this project: what a page has most of.
WORDS = """
姓名 性别 民族 出生 日期 住址 公民 身份 号码 签发 机关 有效 期限 长期 电话 手机 地址 邮编 单位 部门 职务 合同 协议 甲方 乙方 签字
盖章 金额 合计 小写 大写 税率 税额 单价 数量 规格 型号 名称 发票 代码 开票 购买方 销售方 备注 收款 复核 人民币 元整 付款 账户 开户
银行 支付 宝贝 订单 编号 商品 价格 优惠 会员 积分 找零 收银 欢迎 光临 谢谢 惠顾 营业 执照 统一 社会 信用 法定 代表人 注册 资本 成立
经营 范围 登记 有限 公司 责任 科技 发展 管理 服务 中心 北京 上海 广东 深圳 杭州 成都 武汉 西安 南京 重庆 天津 江苏 浙江 四川 山东 湖北
道路 街道 大厦 花园 小区 楼层 房间 出口 入口 禁止 停车 注意 安全 小心 地滑 请勿 吸烟 公交 地铁 车站 机场 医院 学校 大学 图书馆 博物馆
今天 明天 时间 星期 上午 下午 年度 报告 分析 数据 系统 设置 保存 取消 确定 返回 下载 上传 文件 编辑 搜索 登录 密码 用户 消息 通知 网络
我们 他们 自己 可以 没有 已经 因为 所以 但是 如果 这个 那个 什么 怎么 进行 通过 以及 其中 关于 对于 根据 按照 应当 不得 规定 要求 提供
产品 生产 质量 检验 标准 配料 净含量 保质期 储存 条件 避光 干燥 食用 方法 营养 成分 能量 蛋白质 脂肪 碳水化合物 国家 市场 监督 总局
""".split()

PUNCTUATION = "，。、：；！？（）《》“”‘’…—·【】％￥℃"
ASCII_PUNCTUATION = ",.:;!?()[]/-+*&%#@=<>_'\"$~|"

ONSETS = "b c d f g h j k l m n p qu r s t v w x y z st tr ch sh".split()

# What a line holds, in these proportions.
KINDS = ["words"] * 5 + ["characters"] * 3 + ["mixed"] * 2 + ["latin"] * 3 + ["digits"] * 3


def gb2312_characters(first_row, last_row):
    """Characters of GB 2312 by row of its table. Level 1, rows 16 to 55, is the 3,755 most used; level 2 follows, to row 87."""
    characters = []
    for row in range(first_row, last_row + 1):
        for cell in range(1, 95):
            try:
                characters.append(bytes([0xA0 + row, 0xA0 + cell]).decode("gb2312"))
            except UnicodeDecodeError:
                continue  # row 55 ends early
    return characters


COMMON = gb2312_characters(16, 55)
RARER = gb2312_characters(56, 87)


def line(rng, length):
    """About `length` characters of one kind; `rng` is a random.Random."""
    kind = rng.choice(KINDS)
    if kind == "digits":
        return numbers(rng, length)
    if kind == "latin":
        return _join(rng, length, lambda: latin_word(rng), " ")
    if kind == "characters":
        return _join(rng, length, lambda: characters(rng), "")
    if kind == "mixed":
        parts = [lambda: rng.choice(WORDS), lambda: latin_word(rng), lambda: numbers(rng, 6)]
        return _join(rng, length, lambda: rng.choice(parts)(), rng.choice(["", " "]))
    return _join(rng, length, lambda: rng.choice(WORDS) + (rng.choice(PUNCTUATION) if rng.random() < 0.25 else ""), "")


def _join(rng, length, part, separator):
    text = part()
    while len(text) < length:
        text += separator + part()
    return text


def characters(rng):
    """One to four characters, one in twelve from level 2, now and then a punctuation mark."""
    text = "".join(rng.choice(RARER if rng.random() < 1 / 12 else COMMON) for _ in range(rng.randint(1, 4)))
    return text + (rng.choice(PUNCTUATION) if rng.random() < 0.2 else "")


def latin_word(rng):
    """Syllables of consonant and vowel, in the usual capitalisations; sometimes with ASCII punctuation."""
    syllables = [
        rng.choice(ONSETS) + rng.choice("aeiou") + rng.choice(["", "n", "r", "s"]) for _ in range(rng.randint(1, 4))
    ]
    word = rng.choice([str.lower, str.lower, str.title, str.upper])("".join(syllables))
    return word + (rng.choice(ASCII_PUNCTUATION) if rng.random() < 0.2 else "")


def numbers(rng, length):
    """Dates, amounts, telephone and serial numbers."""
    text = ""
    while len(text) < length:
        text += rng.choice(
            [
                f"{rng.randint(1980, 2030)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02} ",
                f"{rng.randint(2000, 2030)}年{rng.randint(1, 12)}月{rng.randint(1, 28)}日",
                f"¥{rng.randint(0, 99999)}.{rng.randint(0, 99):02} ",
                f"{rng.randint(1, 999)},{rng.randint(0, 999):03}.{rng.randint(0, 99):02} ",
                f"1{rng.randint(30, 99)}{rng.randint(0, 99999999):08} ",
                f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02} ",
                f"{rng.randint(0, 100)}% ",
                "".join(rng.choice("0123456789ABCDEFGHJKLMNPQRTUWXY") for _ in range(rng.randint(4, 18))) + " ",
            ]
        )
    return text.strip()
