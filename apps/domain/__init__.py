"""The words of the trade. Pure: no Django, no clock, no network; one file per subject."""
