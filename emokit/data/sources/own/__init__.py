"""A user's own data: tables, folders of class folders, Hugging Face data sets."""
