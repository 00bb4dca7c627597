"""Which columns of a listing the models read, and which one they predict."""

TARGET = "price"
# What a model may read of a listing: not its id nor its host's name, which say nothing of the next listing.
INPUTS = [
    "name",
    "host_id",
    "neighbourhood_group",
    "neighbourhood",
    "latitude",
    "longitude",
    "room_type",
    "minimum_nights",
    "number_of_reviews",
    "last_review",
    "reviews_per_month",
    "calculated_host_listings_count",
    "availability_365",
]
# Those of them that are numbers.
NUMBERS = [
    "minimum_nights",
    "number_of_reviews",
    "reviews_per_month",
    "calculated_host_listings_count",
    "availability_365",
    "longitude",
    "latitude",
]
