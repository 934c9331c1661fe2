-- The rest of the views, and what they need to answer without reading all deliveries.
SELECT 1;
