"""The neighbourhoods that simulated listings lie in.

From the public summary of New York's listings of July 2019 (Inside Airbnb, CC0), rounded: the centre, how many
listings there are, and how far the log of their price lies from the mean of their room type.
"""

from __future__ import annotations

from typing import NamedTuple


class Neighbourhood(NamedTuple):
    """`level` is the log of the price above the city's mean for the same room type; `listings` is a weight."""

    name: str
    borough: str
    latitude: float
    longitude: float
    listings: int
    level: float


def neighbourhoods() -> tuple[Neighbourhood, ...]:
    """All of them, by borough, the one with most listings first.

    >>> len(neighbourhoods())
    219
    """
    found = []
    borough = ""
    for line in _TABLE.strip().splitlines():
        if line.startswith("["):
            borough = line.strip("[]")
        else:
            name, latitude, longitude, listings, level = line.split(" | ")
            found.append(
                Neighbourhood(name, borough, float(latitude), float(longitude), int(listings), float(level))
            )
    return tuple(found)


# name | latitude | longitude | listings | level
_TABLE = """
[Manhattan]
Harlem | 40.817 | -73.948 | 2337 | -0.05
Hell's Kitchen | 40.762 | -73.991 | 1700 | 0.35
Upper West Side | 40.789 | -73.974 | 1680 | 0.15
East Village | 40.727 | -73.984 | 1595 | 0.2
Upper East Side | 40.773 | -73.954 | 1531 | 0.15
Midtown | 40.754 | -73.975 | 1244 | 0.45
East Harlem | 40.796 | -73.942 | 979 | 0
Chelsea | 40.744 | -73.998 | 946 | 0.35
Washington Heights | 40.844 | -73.939 | 812 | -0.2
Lower East Side | 40.719 | -73.988 | 779 | 0.15
West Village | 40.734 | -74.004 | 646 | 0.35
Financial District | 40.707 | -74.009 | 641 | 0.35
Kips Bay | 40.742 | -73.980 | 405 | 0.15
Murray Hill | 40.748 | -73.976 | 405 | 0.25
Chinatown | 40.716 | -73.993 | 337 | 0.15
Greenwich Village | 40.730 | -73.999 | 333 | 0.3
Morningside Heights | 40.807 | -73.962 | 300 | -0.05
SoHo | 40.725 | -74.002 | 291 | 0.35
Gramercy | 40.736 | -73.984 | 284 | 0.2
Theater District | 40.760 | -73.986 | 239 | 0.4
Inwood | 40.865 | -73.926 | 231 | -0.25
Nolita | 40.722 | -73.995 | 217 | 0.3
Tribeca | 40.718 | -74.007 | 137 | 0.55
Little Italy | 40.719 | -73.997 | 94 | 0.15
Roosevelt Island | 40.762 | -73.949 | 71 | 0
NoHo | 40.727 | -73.993 | 65 | 0.4
Flatiron District | 40.741 | -73.988 | 64 | 0.4
Two Bridges | 40.712 | -73.995 | 64 | 0.15
Battery Park City | 40.710 | -74.017 | 62 | 0.25
Civic Center | 40.713 | -74.004 | 47 | 0.15
Stuyvesant Town | 40.732 | -73.978 | 34 | 0.1
Marble Hill | 40.875 | -73.910 | 9 | -0.1
[Brooklyn]
Williamsburg | 40.713 | -73.953 | 3416 | 0.05
Bedford-Stuyvesant | 40.687 | -73.942 | 3239 | -0.2
Bushwick | 40.698 | -73.921 | 2150 | -0.25
Crown Heights | 40.673 | -73.949 | 1366 | -0.2
Greenpoint | 40.727 | -73.952 | 975 | 0
Flatbush | 40.646 | -73.961 | 551 | -0.3
Clinton Hill | 40.687 | -73.964 | 495 | 0
Prospect-Lefferts Gardens | 40.660 | -73.957 | 471 | -0.25
Park Slope | 40.674 | -73.979 | 446 | 0.05
East Flatbush | 40.650 | -73.942 | 440 | -0.25
Fort Greene | 40.689 | -73.974 | 429 | 0
Sunset Park | 40.651 | -74.003 | 354 | -0.25
Prospect Heights | 40.678 | -73.967 | 300 | 0
South Slope | 40.665 | -73.986 | 250 | 0
Gowanus | 40.678 | -73.989 | 210 | 0.1
Carroll Gardens | 40.681 | -73.996 | 204 | 0.1
East New York | 40.668 | -73.886 | 188 | -0.3
Boerum Hill | 40.686 | -73.986 | 155 | 0.05
Kensington | 40.643 | -73.975 | 155 | -0.25
Sheepshead Bay | 40.597 | -73.954 | 143 | -0.2
Windsor Terrace | 40.655 | -73.978 | 137 | -0.1
Canarsie | 40.639 | -73.900 | 132 | -0.2
Brooklyn Heights | 40.694 | -73.994 | 128 | 0.1
Bay Ridge | 40.632 | -74.026 | 124 | -0.2
Cypress Hills | 40.682 | -73.882 | 120 | -0.3
Borough Park | 40.639 | -73.997 | 118 | -0.3
Midwood | 40.620 | -73.960 | 90 | -0.3
Cobble Hill | 40.687 | -73.996 | 86 | 0.1
Bensonhurst | 40.612 | -73.996 | 72 | -0.3
Downtown Brooklyn | 40.695 | -73.984 | 72 | 0.05
Red Hook | 40.677 | -74.010 | 71 | -0.05
Flatlands | 40.626 | -73.931 | 70 | -0.15
Brighton Beach | 40.578 | -73.961 | 66 | -0.15
Gravesend | 40.596 | -73.975 | 57 | -0.3
Brownsville | 40.664 | -73.914 | 54 | -0.25
Fort Hamilton | 40.619 | -74.032 | 49 | -0.15
Columbia St | 40.685 | -74.003 | 38 | -0.05
DUMBO | 40.703 | -73.988 | 33 | 0.3
Vinegar Hill | 40.702 | -73.984 | 31 | 0.15
Coney Island | 40.576 | -73.986 | 16 | -0.05
Bath Beach | 40.604 | -74.004 | 15 | -0.15
Navy Yard | 40.698 | -73.975 | 14 | 0.05
Dyker Heights | 40.626 | -74.010 | 10 | -0.15
Bergen Beach | 40.623 | -73.911 | 9 | -0.1
Manhattan Beach | 40.579 | -73.952 | 7 | -0.1
Sea Gate | 40.578 | -74.010 | 5 | 0
Mill Basin | 40.611 | -73.918 | 4 | 0
[Queens]
Astoria | 40.765 | -73.920 | 794 | -0.15
Long Island City | 40.753 | -73.938 | 468 | 0
Flushing | 40.756 | -73.822 | 374 | -0.2
Ridgewood | 40.705 | -73.906 | 361 | -0.3
Sunnyside | 40.743 | -73.920 | 328 | -0.25
Ditmars Steinway | 40.775 | -73.910 | 278 | -0.15
Elmhurst | 40.740 | -73.878 | 213 | -0.25
Jamaica | 40.684 | -73.787 | 207 | -0.2
Woodside | 40.745 | -73.903 | 202 | -0.25
Jackson Heights | 40.752 | -73.883 | 167 | -0.25
East Elmhurst | 40.763 | -73.877 | 165 | -0.25
Forest Hills | 40.720 | -73.849 | 123 | -0.15
Rego Park | 40.727 | -73.861 | 98 | -0.25
Maspeth | 40.731 | -73.899 | 95 | -0.3
Richmond Hill | 40.695 | -73.829 | 83 | -0.2
Springfield Gardens | 40.665 | -73.763 | 80 | -0.15
Woodhaven | 40.692 | -73.860 | 77 | -0.35
Arverne | 40.591 | -73.795 | 71 | 0
St. Albans | 40.695 | -73.762 | 65 | -0.25
Queens Village | 40.712 | -73.744 | 56 | -0.35
Corona | 40.742 | -73.861 | 55 | -0.35
Rosedale | 40.659 | -73.734 | 53 | -0.2
Briarwood | 40.710 | -73.815 | 52 | -0.15
Ozone Park | 40.682 | -73.847 | 52 | -0.3
Rockaway Beach | 40.588 | -73.814 | 50 | -0.05
Glendale | 40.701 | -73.894 | 48 | -0.25
South Ozone Park | 40.673 | -73.797 | 34 | -0.15
Kew Gardens | 40.708 | -73.830 | 32 | -0.05
Bayside | 40.760 | -73.769 | 30 | -0.1
Fresh Meadows | 40.739 | -73.791 | 30 | -0.15
Middle Village | 40.715 | -73.876 | 25 | -0.15
Far Rockaway | 40.597 | -73.756 | 24 | -0.15
Kew Gardens Hills | 40.725 | -73.819 | 24 | -0.15
Cambria Heights | 40.692 | -73.735 | 22 | -0.1
Howard Beach | 40.662 | -73.848 | 19 | -0.1
Jamaica Estates | 40.719 | -73.789 | 17 | -0.1
Laurelton | 40.675 | -73.746 | 16 | -0.15
Bayswater | 40.606 | -73.763 | 14 | -0.05
College Point | 40.788 | -73.844 | 13 | -0.1
Bellerose | 40.732 | -73.725 | 12 | 0
Hollis | 40.715 | -73.768 | 12 | -0.05
Edgemere | 40.595 | -73.773 | 8 | -0.1
Whitestone | 40.782 | -73.820 | 8 | -0.15
Belle Harbor | 40.576 | -73.848 | 7 | 0.05
Douglaston | 40.756 | -73.731 | 7 | -0.1
Jamaica Hills | 40.714 | -73.797 | 6 | 0
Little Neck | 40.762 | -73.730 | 5 | -0.05
Bay Terrace | 40.783 | -73.779 | 4 | 0
Holliswood | 40.724 | -73.771 | 4 | 0.1
Breezy Point | 40.566 | -73.870 | 3 | 0.2
Neponsit | 40.570 | -73.858 | 3 | 0.1
[Bronx]
Kingsbridge | 40.879 | -73.901 | 64 | -0.2
Fordham | 40.863 | -73.894 | 57 | -0.25
Longwood | 40.822 | -73.903 | 55 | -0.2
Mott Haven | 40.811 | -73.920 | 55 | -0.25
Wakefield | 40.894 | -73.853 | 45 | -0.25
Concourse | 40.827 | -73.926 | 44 | -0.2
Port Morris | 40.808 | -73.930 | 38 | -0.2
Allerton | 40.867 | -73.860 | 37 | -0.25
Williamsbridge | 40.879 | -73.860 | 37 | -0.3
Parkchester | 40.836 | -73.860 | 31 | -0.2
Norwood | 40.874 | -73.880 | 29 | -0.15
Concourse Village | 40.831 | -73.918 | 28 | -0.2
Claremont Village | 40.839 | -73.910 | 27 | -0.15
Highbridge | 40.835 | -73.928 | 25 | -0.25
Pelham Gardens | 40.864 | -73.843 | 22 | -0.25
Belmont | 40.855 | -73.886 | 21 | -0.15
Throgs Neck | 40.826 | -73.821 | 20 | -0.15
University Heights | 40.857 | -73.909 | 20 | -0.2
Clason Point | 40.812 | -73.854 | 19 | -0.05
Mount Hope | 40.849 | -73.904 | 18 | -0.3
Bronxdale | 40.855 | -73.866 | 17 | -0.35
Morris Heights | 40.849 | -73.916 | 17 | -0.2
Morrisania | 40.828 | -73.908 | 17 | -0.05
Pelham Bay | 40.848 | -73.831 | 16 | -0.15
Hunts Point | 40.814 | -73.889 | 14 | -0.25
Morris Park | 40.853 | -73.854 | 13 | -0.2
City Island | 40.849 | -73.788 | 12 | -0.05
Schuylerville | 40.837 | -73.833 | 12 | -0.15
Soundview | 40.827 | -73.868 | 12 | -0.3
Eastchester | 40.881 | -73.835 | 11 | 0
Edenwald | 40.890 | -73.835 | 11 | -0.15
Van Nest | 40.842 | -73.868 | 11 | -0.15
Tremont | 40.846 | -73.892 | 10 | -0.25
Castle Hill | 40.816 | -73.847 | 9 | -0.25
Fieldston | 40.893 | -73.900 | 9 | -0.1
Woodlawn | 40.898 | -73.870 | 9 | -0.15
Melrose | 40.822 | -73.915 | 8 | -0.15
North Riverdale | 40.910 | -73.897 | 8 | -0.1
Riverdale | 40.886 | -73.910 | 8 | -0.1
Westchester Square | 40.839 | -73.848 | 8 | -0.15
Baychester | 40.872 | -73.843 | 7 | -0.1
East Morrisania | 40.830 | -73.889 | 6 | 0
Mount Eden | 40.841 | -73.916 | 6 | -0.15
Unionport | 40.829 | -73.851 | 6 | 0
Olinville | 40.884 | -73.865 | 4 | -0.05
Spuyten Duyvil | 40.881 | -73.918 | 3 | -0.05
Co-op City | 40.865 | -73.823 | 2 | 0
West Farms | 40.841 | -73.878 | 2 | 0
[Staten Island]
St. George | 40.644 | -74.083 | 41 | -0.2
Tompkinsville | 40.634 | -74.086 | 36 | -0.25
Stapleton | 40.633 | -74.078 | 23 | -0.1
Concord | 40.602 | -74.087 | 22 | -0.3
Arrochar | 40.594 | -74.072 | 17 | -0.2
Randall Manor | 40.631 | -74.125 | 17 | -0.25
West Brighton | 40.632 | -74.114 | 16 | -0.15
Clifton | 40.617 | -74.085 | 14 | -0.1
Great Kills | 40.549 | -74.143 | 10 | -0.1
Port Richmond | 40.634 | -74.134 | 9 | -0.1
New Springville | 40.583 | -74.158 | 8 | -0.15
Grymes Hill | 40.616 | -74.091 | 7 | 0
Mariners Harbor | 40.632 | -74.159 | 7 | -0.05
South Beach | 40.591 | -74.088 | 7 | -0.05
Dongan Hills | 40.579 | -74.092 | 6 | -0.15
Grant City | 40.579 | -74.109 | 6 | -0.25
Midland Beach | 40.575 | -74.095 | 6 | -0.15
Rosebank | 40.612 | -74.070 | 6 | -0.05
Shore Acres | 40.608 | -74.067 | 6 | 0.05
Bull's Head | 40.603 | -74.165 | 5 | -0.1
New Brighton | 40.644 | -74.093 | 5 | 0
Oakwood | 40.560 | -74.120 | 5 | -0.05
Arden Heights | 40.553 | -74.179 | 4 | -0.15
Emerson Hill | 40.607 | -74.123 | 4 | -0.1
New Dorp Beach | 40.565 | -74.102 | 4 | -0.15
Todt Hill | 40.610 | -74.112 | 4 | -0.05
Tottenville | 40.508 | -74.239 | 4 | -0.05
Castleton Corners | 40.614 | -74.123 | 3 | -0.05
Eltingville | 40.541 | -74.154 | 3 | -0.05
Graniteville | 40.623 | -74.166 | 3 | -0.15
Huguenot | 40.540 | -74.173 | 3 | -0.05
Prince's Bay | 40.523 | -74.209 | 3 | 0
Bay Terrace, Staten Island | 40.551 | -74.140 | 2 | -0.05
Howland Hook | 40.631 | -74.173 | 2 | -0.05
Lighthouse Hill | 40.577 | -74.135 | 2 | 0
Silver Lake | 40.623 | -74.096 | 2 | -0.05
Westerleigh | 40.614 | -74.134 | 2 | -0.05
New Dorp | 40.570 | -74.117 | 1 | -0.05
Richmondtown | 40.571 | -74.124 | 1 | -0.05
Rossville | 40.548 | -74.210 | 1 | -0.05
Willowbrook | 40.599 | -74.132 | 1 | 0.05
"""
