"""What people write and read: phone numbers, countries, days, labels, tables and documents."""
