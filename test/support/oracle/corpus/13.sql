ALTER STATISTICS app.together SET STATISTICS 99;
ALTER TABLE public.typed ALTER COLUMN street DROP NOT NULL;
CREATE TRIGGER of_rows BEFORE INSERT ON app.events FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE PUBLICATION by_root FOR TABLE app.events WITH (publish_via_partition_root = true);
CREATE INDEX plain_duplicates ON app.a (b) WITH (deduplicate_items = off);
ALTER VIEW app.grouped RENAME COLUMN name TO "renamed ""name""";
CREATE EXTENSION unaccent WITH SCHEMA ext;
