"""Services that judge tokens: one file each, all behind ``domain.opinion.OpinionSource``."""
