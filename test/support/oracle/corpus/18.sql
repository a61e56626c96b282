-- Written by 18, and known to 17: the names of NOT NULL constraints, and what is not validated.
CREATE TABLE app.named (a int CONSTRAINT "a is there" NOT NULL, b int NOT NULL);
INSERT INTO app.named VALUES (1, 2);
COMMENT ON TABLE app.named IS 'of 18';
CREATE UNIQUE INDEX named_a ON app.named (a);
