"""What the sample shop sells."""

from typing import NamedTuple


class Product(NamedTuple):
    id: str
    name: str
    category: str
    price: int
    """In KRW."""
    liked: int


PRODUCTS = (
    Product("p-101", "한라봉 세트 3kg", "fresh", 32_900, 9),
    Product("p-102", "제주 감귤 5kg", "fresh", 24_900, 10),
    Product("p-103", "샤인머스캣 2kg", "fresh", 38_000, 7),
    Product("p-104", "햇고구마 3kg", "fresh", 15_900, 8),
    Product("p-201", "무쇠 냄비 22cm", "kitchen", 89_000, 5),
    Product("p-202", "핸드드립 세트", "kitchen", 54_000, 6),
    Product("p-203", "도자기 머그 2개", "kitchen", 28_000, 8),
    Product("p-204", "대나무 도마", "kitchen", 19_800, 5),
    Product("p-301", "린넨 이불 커버", "home", 79_000, 4),
    Product("p-302", "소이 캔들", "home", 22_000, 7),
    Product("p-303", "극세사 담요", "home", 34_500, 6),
    Product("p-401", "히알루론 크림", "beauty", 27_500, 9),
    Product("p-402", "선크림 SPF50+", "beauty", 18_900, 10),
    Product("p-403", "동백 오일", "beauty", 31_000, 4),
    Product("p-501", "에티오피아 원두 500g", "coffee", 21_000, 8),
    Product("p-502", "디카페인 드립백 20개", "coffee", 17_500, 7),
)
