"""Pages of the document library beyond the kit's."""
