"""What a study's YAML file says: the document, the fields that vary, and when a search stops."""
