"""Views of the kit, one room per archetype."""
