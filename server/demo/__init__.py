"""A sample shop: four weeks of its life, sent through the whole product, to look at and to play with."""
