"""Listings as Inside Airbnb publishes them: the columns of its files by year, around rows of this repository."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

OUR_NAMES = (
    "id name host_id host_name neighbourhood_group neighbourhood latitude longitude room_type price "
    "minimum_nights number_of_reviews last_review reviews_per_month calculated_host_listings_count "
    "availability_365"
)
_HOST = (
    "host_id host_url host_name host_since host_location host_about host_response_time host_response_rate "
    "host_acceptance_rate host_is_superhost host_thumbnail_url host_picture_url host_neighbourhood "
    "host_listings_count host_total_listings_count host_verifications host_has_profile_pic host_identity_verified"
)
_NIGHTS = (
    "minimum_nights maximum_nights minimum_minimum_nights maximum_minimum_nights minimum_maximum_nights "
    "maximum_maximum_nights minimum_nights_avg_ntm maximum_nights_avg_ntm calendar_updated has_availability "
    "availability_30 availability_60 availability_90 availability_365 calendar_last_scraped number_of_reviews "
    "number_of_reviews_ltm"
)
_SCORES = (
    "review_scores_rating review_scores_accuracy review_scores_cleanliness review_scores_checkin "
    "review_scores_communication review_scores_location review_scores_value"
)
_COUNTS = (
    "calculated_host_listings_count calculated_host_listings_count_entire_homes "
    "calculated_host_listings_count_private_rooms calculated_host_listings_count_shared_rooms reviews_per_month"
)
_PLACE = "neighbourhood neighbourhood_cleansed neighbourhood_group_cleansed"
_LATER = (
    f"name description neighborhood_overview picture_url {_HOST} {_PLACE} latitude longitude property_type "
    f"room_type accommodates bathrooms bathrooms_text bedrooms beds amenities price {_NIGHTS}"
)
# The headers of the detailed file: 106 columns in 2019, 74 in 2021, 75 in 2023, 79 in 2025.
DETAILED = {
    2019: (
        "id listing_url scrape_id last_scraped name summary space description experiences_offered "
        "neighborhood_overview notes transit access interaction house_rules thumbnail_url medium_url picture_url "
        f"xl_picture_url {_HOST} street {_PLACE} city state zipcode market smart_location country_code country "
        "latitude longitude is_location_exact property_type room_type accommodates bathrooms bedrooms beds "
        "bed_type amenities square_feet price weekly_price monthly_price security_deposit cleaning_fee "
        f"guests_included extra_people {_NIGHTS} first_review last_review {_SCORES} requires_license license "
        "jurisdiction_names instant_bookable is_business_travel_ready cancellation_policy "
        f"require_guest_profile_picture require_guest_phone_verification {_COUNTS}"
    ),
    2021: (
        f"id listing_url scrape_id last_scraped {_LATER} number_of_reviews_l30d first_review last_review "
        f"{_SCORES} license instant_bookable {_COUNTS}"
    ),
    2023: (
        f"id listing_url scrape_id last_scraped source {_LATER} number_of_reviews_l30d first_review last_review "
        f"{_SCORES} license instant_bookable {_COUNTS}"
    ),
    2025: (
        f"id listing_url scrape_id last_scraped source {_LATER} number_of_reviews_l30d availability_eoy "
        "number_of_reviews_ly estimated_occupancy_l365d estimated_revenue_l365d first_review last_review "
        f"{_SCORES} license instant_bookable {_COUNTS}"
    ),
}
# The headers of the summary file.
SUMMARY = {2019: OUR_NAMES, 2025: f"{OUR_NAMES} number_of_reviews_ltm license"}


def write_published(listings: pd.DataFrame, header: str, path: Path) -> None:
    """Write listings as a file with this header; what is not ours holds text of no use to a reader of numbers."""
    columns = header.split()
    detailed = "listing_url" in columns
    kept = listings.copy()
    if detailed:
        kept["price"] = [f"${price:,.2f}" for price in listings["price"]]
        names = {name: f"{name}_cleansed" for name in ("neighbourhood", "neighbourhood_group")}
        kept = kept.rename(columns=names)
    kept.reindex(columns=[*columns]).assign(**_filling(columns, kept.columns)).to_csv(path, index=False)


def _filling(columns: Sequence[str], ours: Sequence[str]) -> dict[str, str]:
    return {name: 'Centrum, "NL"\n<br />t' for name in columns if name not in ours}
