"""Every card, page and drawing that relet makes."""
