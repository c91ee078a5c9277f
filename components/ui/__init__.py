"""What every page is made of: page, lists, dialogs, wizard, navigation, session."""
