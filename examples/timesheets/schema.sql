-- Timesheets: who worked how long on which project, and what was invoiced for it.
-- PostgreSQL 17. Load as the database's owner into an empty UTF-8 database:
--     psql -v ON_ERROR_STOP=1 -f schema.sql timesheets

CREATE EXTENSION pg_trgm WITH SCHEMA public;

CREATE SCHEMA audit;
COMMENT ON SCHEMA audit IS 'Who changed what; written by triggers only.';

-- Types ---------------------------------------------------------------------

CREATE TYPE user_role AS ENUM ('consultant', 'manager', 'accounting', 'admin', 'außendienst');
COMMENT ON TYPE user_role IS 'What a person may do. „außendienst“ is kept for the colleagues of the former Köln office.';
CREATE TYPE project_status AS ENUM ('draft', 'active', 'on hold', 'closed');
CREATE TYPE invoice_status AS ENUM ('open', 'sent', 'paid', 'cancelled');
CREATE TYPE work_kind AS ENUM ('work', 'travel', 'meeting', 'training');
CREATE TYPE mail_status AS ENUM ('waiting', 'sent', 'failed');

CREATE TYPE postal_address AS (street text, zip text, city text, country character(2));
COMMENT ON TYPE postal_address IS 'An address as it is printed on an invoice.';

CREATE DOMAIN email_address AS text
    CONSTRAINT email_address_form CHECK (VALUE ~ '^[^@\s]+@[^@\s]+\.[^@\s.]+$');
COMMENT ON DOMAIN email_address IS 'One address without a display name: it has one "@" and a dot after it.';
CREATE DOMAIN rate_amount AS numeric(10, 2) DEFAULT 0
    CONSTRAINT rate_amount_not_negative CHECK (VALUE >= 0);
CREATE DOMAIN vat_number AS text
    CONSTRAINT vat_number_form CHECK (VALUE ~ '^[A-Z]{2}[0-9A-Z+*]{2,12}$');

-- Functions that tables, indexes and aggregates are built on -------------------

CREATE FUNCTION slug(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT trim(both '-' from regexp_replace(lower(value), '[^a-z0-9]+', '-', 'g')) $$;
COMMENT ON FUNCTION slug(text) IS 'The part of a link that people read: "Größe & Maß; Teil 1" -> "gr-e-ma-teil-1".';

CREATE FUNCTION format_duration(minutes integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((minutes / 60)::text || ':'::text) || lpad((minutes % 60)::text, 2, '0'::text);
COMMENT ON FUNCTION format_duration(integer) IS '95 -> 1:35';

CREATE FUNCTION current_user_id() RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('app.user_id', true), '')::integer $$;
COMMENT ON FUNCTION current_user_id() IS 'The person the application acts for; it says SET app.user_id after taking a connection.';

CREATE FUNCTION weighted_average_step(state numeric[], value numeric, weight numeric) RETURNS numeric[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN value IS NULL OR weight IS NULL THEN state
                      ELSE ARRAY[state[1] + value * weight, state[2] + weight] END $$;

CREATE FUNCTION weighted_average_final(state numeric[]) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT round(state[1] / nullif(state[2], 0), 2) $$;

CREATE AGGREGATE weighted_average(value numeric, weight numeric) (
    SFUNC = weighted_average_step,
    STYPE = numeric[],
    FINALFUNC = weighted_average_final,
    INITCOND = '{0,0}'
);
COMMENT ON AGGREGATE weighted_average(numeric, numeric) IS 'Average of value by weight; NULL when there is no weight.';

-- People ----------------------------------------------------------------------

CREATE TABLE departments (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CONSTRAINT departments_name_key UNIQUE,
    cost_center character varying(12) NOT NULL,
    head_id integer
);
COMMENT ON TABLE departments IS 'Departments; a head belongs to a department, so the two tables refer to each other.';

CREATE TABLE users (
    id serial PRIMARY KEY,
    department_id integer NOT NULL,
    login text NOT NULL CONSTRAINT users_login_key UNIQUE,
    name text NOT NULL,
    email email_address NOT NULL,
    phone text,
    password_hash text,
    api_token uuid,
    role user_role DEFAULT 'consultant' NOT NULL,
    hourly_rate rate_amount NOT NULL,
    weekly_time interval DEFAULT '40:00:00' NOT NULL,
    skills text[] DEFAULT '{}' NOT NULL,
    preferences jsonb DEFAULT '{"language": "de", "mail": {"weekly": true}}' NOT NULL,
    hired_on date NOT NULL,
    left_on date,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT users_department_id_fkey FOREIGN KEY (department_id) REFERENCES departments (id),
    CONSTRAINT users_left_after_hired CHECK (left_on IS NULL OR left_on >= hired_on)
);
COMMENT ON TABLE users IS 'People who log in and book hours. Personal data: mask before use on another server.';
COMMENT ON COLUMN users.password_hash IS 'bcrypt; NULL when the person logs in by the company''s directory.';
COMMENT ON COLUMN users.weekly_time IS 'Contracted time a week, e.g. ''38:30:00''.';

ALTER TABLE departments
    ADD CONSTRAINT departments_head_id_fkey FOREIGN KEY (head_id) REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED;

CREATE UNIQUE INDEX users_email_lower_key ON users (lower(email));
CREATE INDEX users_skills_idx ON users USING gin (skills);
CREATE INDEX users_present_idx ON users (department_id, name) WHERE left_on IS NULL;

CREATE UNLOGGED TABLE sessions (
    token text PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address inet,
    agent text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE sessions IS 'Logged-in browsers; unlogged, so a crash logs everybody out.';

CREATE TABLE "Time Off" (
    id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    "User Id" integer NOT NULL REFERENCES users (id),
    "From" date NOT NULL,
    "To" date NOT NULL,
    "Days" integer GENERATED ALWAYS AS ("To" - "From" + 1) STORED,
    "Reason / Grund" text,
    CONSTRAINT "From before To" CHECK ("From" <= "To")
);
COMMENT ON TABLE "Time Off" IS 'Imported once from a spreadsheet, hence the names.';
COMMENT ON COLUMN "Time Off"."Reason / Grund" IS 'Free text; may hold health data.';
CREATE INDEX "Time Off by user" ON "Time Off" ("User Id", "From");

CREATE TABLE holidays (
    country character(2) NOT NULL,
    day date NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (country, day)
);
COMMENT ON TABLE holidays IS 'Public holidays in the country''s own language and script.';

-- Customers ---------------------------------------------------------------------

CREATE SEQUENCE customer_number_seq AS integer START WITH 10001 MINVALUE 10001 MAXVALUE 99999 CACHE 5;
COMMENT ON SEQUENCE customer_number_seq IS 'Customer numbers; accounting gives them too, so the table does not own it.';

CREATE TABLE customers (
    id integer GENERATED BY DEFAULT AS IDENTITY (START WITH 1 INCREMENT BY 1) PRIMARY KEY,
    number integer DEFAULT nextval('customer_number_seq') NOT NULL CONSTRAINT customers_number_key UNIQUE,
    name text NOT NULL,
    address postal_address,
    vat_id vat_number,
    billing_email email_address,
    currency character(3) DEFAULT 'EUR' NOT NULL,
    payment_days smallint DEFAULT 30 NOT NULL,
    credit_limit numeric(14, 2),
    note text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT customers_payment_days_range CHECK (payment_days BETWEEN 0 AND 120)
);
COMMENT ON TABLE customers IS 'Companies we work for. Name and note in any script: Société Générique, ACME 株式会社, Łódź Sp. z o.o.';
CREATE INDEX customers_name_trgm_idx ON customers USING gin (name gin_trgm_ops);
CREATE INDEX customers_slug_idx ON customers (slug(name));

CREATE TABLE contacts (
    id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    name text NOT NULL,
    email email_address,
    phone text,
    is_main boolean DEFAULT false NOT NULL
);
COMMENT ON TABLE contacts IS 'People at our customers. Personal data: mask before use on another server.';
CREATE UNIQUE INDEX contacts_one_main_key ON contacts (customer_id) WHERE is_main;

CREATE TABLE contracts (
    id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers (id),
    title text NOT NULL,
    signed_on date,
    scan oid,
    terms xml
);
COMMENT ON TABLE contracts IS 'Framework contracts.';
COMMENT ON COLUMN contracts.scan IS 'Large object with the scanned paper; NULL until somebody scans it.';

CREATE TABLE exchange_rates (
    currency character(3) NOT NULL,
    day date NOT NULL,
    rate numeric(18, 8) NOT NULL CHECK (rate > 0),
    PRIMARY KEY (currency, day)
);

CREATE TABLE fiscal_periods (
    name text PRIMARY KEY,
    period daterange NOT NULL,
    closed boolean DEFAULT false NOT NULL,
    CONSTRAINT fiscal_periods_no_overlap EXCLUDE USING gist (period WITH &&)
);
COMMENT ON CONSTRAINT fiscal_periods_no_overlap ON fiscal_periods IS 'A day belongs to one period.';

-- Projects ----------------------------------------------------------------------

CREATE TABLE projects (
    id serial PRIMARY KEY,
    parent_id integer,
    path text COLLATE "C" NOT NULL,
    depth integer GENERATED ALWAYS AS (length(path) - length(replace(path, '/', ''))) STORED,
    customer_id integer NOT NULL REFERENCES customers (id),
    manager_id integer REFERENCES users (id),
    code text NOT NULL,
    name text NOT NULL,
    description text DEFAULT '' NOT NULL,
    status project_status DEFAULT 'draft' NOT NULL,
    rate rate_amount,
    budget numeric(14, 2),
    tags text[],
    starts_on date,
    ends_on date,
    properties jsonb,
    search tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', code || ' ' || name), 'A') || setweight(to_tsvector('simple', description), 'B')
    ) STORED,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT projects_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES projects (id),
    CONSTRAINT projects_not_own_parent CHECK (parent_id <> id),
    CONSTRAINT projects_code_key UNIQUE (code)
);
COMMENT ON TABLE projects IS 'Projects as a tree: a sub-project belongs to the customer of its root.';
COMMENT ON COLUMN projects.path IS 'Ids from the root down, each six digits and a slash, e.g. 000007/000123/. Kept by triggers; never write it.';
COMMENT ON COLUMN projects.rate IS 'Rate of the whole project; NULL means each person''s own.';
CREATE INDEX projects_path_idx ON projects (path text_pattern_ops);
CREATE INDEX projects_search_idx ON projects USING gin (search);
CREATE INDEX projects_name_trgm_idx ON projects USING gin (name gin_trgm_ops);
CREATE INDEX projects_properties_idx ON projects USING gin (properties jsonb_path_ops);
CREATE INDEX projects_active_idx ON projects (customer_id, lower(code)) WHERE status = 'active';
COMMENT ON INDEX projects_search_idx IS 'For search_projects().';

CREATE TABLE project_members (
    project_id integer NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id integer NOT NULL REFERENCES users (id),
    rate rate_amount DEFAULT NULL,
    during daterange DEFAULT '(,)' NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
COMMENT ON COLUMN project_members.rate IS 'Rate agreed for this person on this project; NULL: the usual one.';

CREATE TABLE tasks (
    id serial PRIMARY KEY,
    project_id integer NOT NULL REFERENCES projects (id),
    title text NOT NULL,
    description text COMPRESSION lz4,
    assignee_id integer REFERENCES users (id),
    estimate interval,
    done_at timestamp with time zone
);
COMMENT ON TABLE tasks IS 'What is to be done in a project.';
CREATE INDEX tasks_project_idx ON tasks (project_id) INCLUDE (title);
CREATE INDEX tasks_words_idx ON tasks USING gin (to_tsvector('simple', title || ' ' || coalesce(description, '')));

-- Invoices ------------------------------------------------------------------------

CREATE TABLE invoices (
    id serial PRIMARY KEY,
    number text CONSTRAINT invoices_number_key UNIQUE,
    customer_id integer NOT NULL REFERENCES customers (id),
    status invoice_status DEFAULT 'open' NOT NULL,
    month date NOT NULL CONSTRAINT invoices_month_first CHECK (month = date_trunc('month', month)),
    issued_on date,
    due_on date,
    currency character(3) DEFAULT 'EUR' NOT NULL,
    total numeric(14, 2) DEFAULT 0 NOT NULL,
    sent_to email_address,
    note text,
    CONSTRAINT invoices_sent_has_number CHECK (status = 'open' OR number IS NOT NULL)
);
COMMENT ON TABLE invoices IS 'One invoice a customer and month. Closed ones must never change (§ 147 AO).';
CREATE INDEX invoices_customer_idx ON invoices (customer_id, month DESC);
CREATE INDEX invoices_unpaid_idx ON invoices (due_on) WHERE status = 'sent';

CREATE TABLE invoice_lines (
    id serial PRIMARY KEY,
    invoice_id integer NOT NULL REFERENCES invoices (id) ON DELETE CASCADE,
    line_no smallint NOT NULL,
    project_id integer NOT NULL REFERENCES projects (id),
    description text NOT NULL,
    quantity numeric(12, 2) NOT NULL,
    unit_price numeric(12, 4) NOT NULL,
    vat_rate numeric(5, 2) DEFAULT 19 NOT NULL,
    net numeric(14, 2) GENERATED ALWAYS AS (round(quantity * unit_price, 2)) STORED,
    vat numeric(14, 2) GENERATED ALWAYS AS (round(round(quantity * unit_price, 2) * vat_rate / 100, 2)) STORED,
    CONSTRAINT invoice_lines_line_no_key UNIQUE (invoice_id, line_no)
);

-- Hours: the table that grows ---------------------------------------------------------

CREATE TABLE hours (
    id bigint GENERATED BY DEFAULT AS IDENTITY,
    user_id integer NOT NULL,
    project_id integer NOT NULL,
    task_id integer,
    work_date date NOT NULL,
    started_at time without time zone,
    minutes integer NOT NULL,
    hours numeric(6, 2) GENERATED ALWAYS AS (round(minutes / 60.0, 2)) STORED,
    kind work_kind DEFAULT 'work' NOT NULL,
    billable boolean DEFAULT true NOT NULL,
    rate rate_amount NOT NULL,
    amount numeric(14, 2) GENERATED ALWAYS AS (CASE WHEN billable THEN round(minutes * rate / 60, 2) ELSE 0 END) STORED,
    note text DEFAULT '' NOT NULL,
    invoice_line_id integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT hours_pkey PRIMARY KEY (id, work_date),
    CONSTRAINT hours_minutes_in_a_day CHECK (minutes BETWEEN 1 AND 1440),
    CONSTRAINT hours_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT hours_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects (id),
    CONSTRAINT hours_task_id_fkey FOREIGN KEY (task_id) REFERENCES tasks (id),
    CONSTRAINT hours_invoice_line_id_fkey FOREIGN KEY (invoice_line_id) REFERENCES invoice_lines (id) ON DELETE SET NULL
) PARTITION BY RANGE (work_date);
COMMENT ON TABLE hours IS 'Timesheet rows, one partition a year. Invoiced rows (invoice_line_id set) must not change.';
COMMENT ON COLUMN hours.note IS 'Printed on the invoice as typed: may hold line breaks, tabs, backslashes, emoji 🙂';
CREATE TABLE hours_2021 PARTITION OF hours FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE hours_2022 PARTITION OF hours FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
CREATE TABLE hours_2023 PARTITION OF hours FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE hours_2024 PARTITION OF hours FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE hours_2025 PARTITION OF hours FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE hours_2026 PARTITION OF hours FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE hours_2027 PARTITION OF hours FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
CREATE TABLE hours_other PARTITION OF hours DEFAULT;
CREATE INDEX hours_user_idx ON hours (user_id, work_date) INCLUDE (minutes);
CREATE INDEX hours_project_idx ON hours (project_id, work_date);
CREATE INDEX hours_invoice_line_idx ON hours (invoice_line_id) WHERE invoice_line_id IS NOT NULL;
CREATE INDEX hours_to_invoice_idx ON hours (project_id) WHERE billable AND invoice_line_id IS NULL;
CREATE STATISTICS hours_project_task (dependencies, ndistinct) ON project_id, task_id FROM hours;

-- Files, mail, settings -----------------------------------------------------------------

CREATE TABLE attachments (
    id bigserial PRIMARY KEY,
    project_id integer REFERENCES projects (id),
    invoice_id integer REFERENCES invoices (id),
    file_name text NOT NULL,
    media_type text DEFAULT 'application/octet-stream' NOT NULL,
    content bytea NOT NULL,
    size integer GENERATED ALWAYS AS (octet_length(content)) STORED,
    digest bytea GENERATED ALWAYS AS (sha256(content)) STORED,
    added_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT attachments_one_owner CHECK (num_nonnulls(project_id, invoice_id) = 1)
);
ALTER TABLE attachments ALTER COLUMN content SET STORAGE EXTERNAL;
COMMENT ON COLUMN attachments.content IS 'The file; not compressed again, as PDF and pictures are already.';
CREATE INDEX attachments_digest_idx ON attachments USING hash (digest);

CREATE TABLE mail_queue (
    id bigserial PRIMARY KEY,
    recipient email_address NOT NULL,
    copy_to text[] DEFAULT '{}' NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    status mail_status DEFAULT 'waiting' NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    send_after timestamp with time zone DEFAULT now() NOT NULL,
    sent_at timestamp with time zone,
    error text
);
COMMENT ON TABLE mail_queue IS 'Mail the application sends: waiting rows on a copy of production would go to real customers.';
CREATE INDEX mail_queue_waiting_idx ON mail_queue (send_after) WHERE status = 'waiting';

CREATE TABLE settings (
    key text PRIMARY KEY,
    value text,
    is_secret boolean DEFAULT false NOT NULL,
    is_protected boolean DEFAULT false NOT NULL,
    comment text
);
COMMENT ON TABLE settings IS 'What differs between servers: addresses, mail relay, tokens. Defuse on a copy.';

CREATE TABLE scheduled_jobs (
    id serial PRIMARY KEY,
    name text NOT NULL UNIQUE,
    schedule text NOT NULL,
    target text NOT NULL,
    arguments jsonb DEFAULT '{}' NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    last_run_at timestamp with time zone,
    last_took interval
);
COMMENT ON COLUMN scheduled_jobs.schedule IS 'Five cron fields, UTC.';

CREATE TABLE webhooks (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url text NOT NULL,
    secret text,
    events text[] DEFAULT '{invoice.sent}' NOT NULL,
    enabled boolean DEFAULT true NOT NULL
);
COMMENT ON TABLE webhooks IS 'Addresses at our customers that we call.';

CREATE TABLE audit.entries (
    id bigserial PRIMARY KEY,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor integer,
    address inet,
    table_name text NOT NULL,
    action character(1) NOT NULL CHECK (action IN ('I', 'U', 'D')),
    row_id bigint,
    before jsonb,
    after jsonb
);
COMMENT ON TABLE audit.entries IS 'One row a change, with the row before and after it.';
CREATE INDEX entries_at_idx ON audit.entries USING brin (at);
CREATE INDEX entries_row_idx ON audit.entries (table_name, row_id);

-- Views -----------------------------------------------------------------------------------

CREATE VIEW hours_full AS
    SELECT h.id, h.work_date, date_trunc('month', h.work_date)::date AS month, u.login, u.name AS user_name,
           p.id AS project_id, p.code, p.path, c.id AS customer_id, c.name AS customer_name, t.title AS task,
           h.minutes, h.hours, h.billable, h.amount, h.invoice_line_id IS NOT NULL AS invoiced, h.note
    FROM hours h
    JOIN users u ON u.id = h.user_id
    JOIN projects p ON p.id = h.project_id
    JOIN customers c ON c.id = p.customer_id
    LEFT JOIN tasks t ON t.id = h.task_id;
COMMENT ON VIEW hours_full IS 'Hours with the names people know.';

CREATE VIEW customer_months AS
    SELECT customer_id, customer_name, month, sum(hours) AS hours, sum(amount) AS amount,
           sum(amount) FILTER (WHERE billable AND NOT invoiced) AS to_invoice
    FROM hours_full
    GROUP BY customer_id, customer_name, month;
COMMENT ON VIEW customer_months IS 'Hours and money by customer and month; built on hours_full.';

-- Grouped by the primary key alone: the view depends on the constraint, so pg_dump writes it twice.
CREATE VIEW project_totals AS
    SELECT p.id, p.code, p.name, p.status, p.budget, count(h.id) AS entries,
           coalesce(sum(h.hours), 0) AS hours, coalesce(sum(h.amount), 0) AS amount,
           weighted_average(h.rate, h.hours) AS average_rate
    FROM projects p
    LEFT JOIN hours h ON h.project_id = p.id
    GROUP BY p.id;
COMMENT ON VIEW project_totals IS 'What a project has cost so far, without its sub-projects.';

CREATE VIEW open_invoices WITH (security_barrier = true) AS
    SELECT id, number, customer_id, status, due_on, total FROM invoices WHERE status IN ('open', 'sent')
    WITH CASCADED CHECK OPTION;

CREATE VIEW timesheet AS
    SELECT h.id, u.login, p.code AS project, h.work_date, format_duration(h.minutes) AS duration, h.note
    FROM hours h JOIN users u ON u.id = h.user_id JOIN projects p ON p.id = h.project_id;
COMMENT ON VIEW timesheet IS 'What the entry form reads and writes; see timesheet_write().';

CREATE MATERIALIZED VIEW project_years AS
    SELECT extract(year FROM h.work_date)::integer AS year, left(p.path, 6)::integer AS root_project_id,
           h.kind, count(*) AS entries, sum(h.hours) AS hours, sum(h.amount) AS amount
    FROM hours h JOIN projects p ON p.id = h.project_id
    GROUP BY 1, 2, 3
    WITH NO DATA;
COMMENT ON MATERIALIZED VIEW project_years IS 'For the yearly report; refreshed at night.';
CREATE UNIQUE INDEX project_years_key ON project_years (year, root_project_id, kind);

-- Functions -----------------------------------------------------------------------------------

CREATE FUNCTION projects_set_path() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    parent public.projects;
BEGIN
    IF NEW.parent_id IS NULL THEN
        NEW.path := lpad(NEW.id::text, 6, '0') || '/';
    ELSE
        SELECT * INTO STRICT parent FROM public.projects WHERE id = NEW.parent_id;
        IF parent.path LIKE '%' || lpad(NEW.id::text, 6, '0') || '/%' THEN
            RAISE EXCEPTION 'project % cannot be below its own sub-project %', NEW.id, NEW.parent_id
                USING ERRCODE = 'integrity_constraint_violation', HINT = 'Choose a parent outside of it; then save again.';
        END IF;
        NEW.path := parent.path || lpad(NEW.id::text, 6, '0') || '/';
        NEW.customer_id := parent.customer_id;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION projects_set_path() IS 'Keeps projects.path, and the customer the same in a whole tree.';

CREATE FUNCTION projects_move_children() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    -- the update of parent_id to itself makes projects_set_path run for each child, level by level
    UPDATE public.projects SET parent_id = NEW.id WHERE parent_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE FUNCTION project_ancestors(project integer) RETURNS TABLE (id integer, code text, name text, level integer)
    LANGUAGE sql STABLE
    AS $$
    WITH RECURSIVE up AS (
        SELECT p.id, p.parent_id, p.code, p.name, 0 AS level FROM public.projects p WHERE p.id = project
        UNION ALL
        SELECT p.id, p.parent_id, p.code, p.name, up.level + 1 FROM public.projects p JOIN up ON p.id = up.parent_id
    )
    SELECT up.id, up.code, up.name, up.level FROM up ORDER BY up.level
$$;
COMMENT ON FUNCTION project_ancestors(integer) IS 'A project and all above it, itself first.';

CREATE FUNCTION project_descendants(project integer) RETURNS SETOF projects
    LANGUAGE sql STABLE ROWS 20
    AS $$
    SELECT d.* FROM public.projects p JOIN public.projects d ON d.path LIKE p.path || '%' WHERE p.id = project ORDER BY d.path
$$;

CREATE FUNCTION effective_rate(person integer, project integer, on_day date DEFAULT CURRENT_DATE) RETURNS numeric
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    found_rate numeric;
BEGIN
    SELECT m.rate INTO found_rate
    FROM public.project_members m
    WHERE m.project_id = project AND m.user_id = person AND m.during @> on_day;
    IF found_rate IS NULL THEN
        SELECT p.rate INTO found_rate
        FROM public.project_ancestors(project) a JOIN public.projects p ON p.id = a.id
        WHERE p.rate IS NOT NULL ORDER BY a.level LIMIT 1;
    END IF;
    RETURN coalesce(found_rate, (SELECT u.hourly_rate FROM public.users u WHERE u.id = person), 0);
END
$$;
COMMENT ON FUNCTION effective_rate(integer, integer, date) IS
    'The rate of a person on a project: as agreed for both, else the nearest project''s above, else the person''s own.';

CREATE FUNCTION project_total(project integer, with_children boolean DEFAULT true, OUT hours numeric, OUT amount numeric)
    RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    SELECT coalesce(sum(h.hours), 0), coalesce(sum(h.amount), 0) INTO hours, amount
    FROM hours h
    WHERE h.project_id IN (
        SELECT d.id FROM project_descendants(project) d WHERE with_children OR d.id = project
    );
END
$$;

CREATE FUNCTION project_budget_left(project integer) RETURNS numeric
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT p.budget - coalesce(sum(h.amount), 0)
        FROM public.projects p
        LEFT JOIN public.projects d ON d.path LIKE p.path || '%'
        LEFT JOIN public.hours h ON h.project_id = d.id
        WHERE p.id = project
        GROUP BY p.id;
    END;
COMMENT ON FUNCTION project_budget_left(integer) IS 'Budget less everything booked on the project and below; NULL without a budget.';

CREATE FUNCTION search_projects(words text) RETURNS SETOF projects
    LANGUAGE sql STABLE
    AS $$
    SELECT p.* FROM public.projects p
    WHERE p.search @@ websearch_to_tsquery('simple', words) OR p.name OPERATOR(public.%) words
    ORDER BY ts_rank(p.search, websearch_to_tsquery('simple', words)) DESC, p.id
$$;

CREATE FUNCTION invoice_next_number(on_day date) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    year text := to_char(on_day, 'YYYY');
    last_number integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('invoice ' || year));
    SELECT max(split_part(number, '-', 2)::integer) INTO last_number FROM public.invoices WHERE number LIKE year || '-%';
    RETURN format('%s-%s', year, lpad((coalesce(last_number, 0) + 1)::text, 5, '0'));
END
$$;

CREATE FUNCTION invoice_create(customer integer, for_month date) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    new_id integer;
    line record;
    line_id integer;
    line_count integer := 0;
BEGIN
    INSERT INTO public.invoices (customer_id, month, currency, sent_to)
    SELECT c.id, date_trunc('month', for_month)::date, c.currency, c.billing_email FROM public.customers c WHERE c.id = customer
    RETURNING id INTO STRICT new_id;
    FOR line IN
        SELECT h.project_id, p.name, sum(h.hours) AS quantity, public.weighted_average(h.rate, h.hours) AS price
        FROM public.hours h JOIN public.projects p ON p.id = h.project_id
        WHERE p.customer_id = customer AND h.billable AND h.invoice_line_id IS NULL
          AND h.work_date >= date_trunc('month', for_month) AND h.work_date < date_trunc('month', for_month) + interval '1 month'
        GROUP BY h.project_id, p.name, p.path ORDER BY p.path
    LOOP
        line_count := line_count + 1;
        INSERT INTO public.invoice_lines (invoice_id, line_no, project_id, description, quantity, unit_price)
        VALUES (new_id, line_count, line.project_id, line.name, line.quantity, line.price)
        RETURNING id INTO line_id;
        UPDATE public.hours SET invoice_line_id = line_id
        WHERE project_id = line.project_id AND billable AND invoice_line_id IS NULL
          AND work_date >= date_trunc('month', for_month) AND work_date < date_trunc('month', for_month) + interval '1 month';
    END LOOP;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION invoice_create(integer, date) IS 'An open invoice with one line a project, from the month''s hours that are not invoiced yet.';

CREATE FUNCTION queue_mail(recipient email_address, subject text, template text, variables jsonb DEFAULT '{}') RETURNS bigint
    LANGUAGE plpgsql
    AS $function$
DECLARE
    body text := template;
    variable record;
    mail_id bigint;
BEGIN
    FOR variable IN SELECT key, value FROM jsonb_each_text(variables) LOOP
        body := replace(body, '{{' || variable.key || '}}', variable.value);
    END LOOP;
    IF body ~ '\{\{\w+\}\}' THEN
        RAISE WARNING 'mail "%": a {{variable}} is left; it''s sent as it is', subject;
    END IF;
    EXECUTE $sql$
        INSERT INTO public.mail_queue (recipient, subject, body)
        VALUES ($1, $2, $3 || E'\n-- \n' || $sig$Sent by "Timesheets"; please don't reply; it's automatic. Kosten: 5 $, 4 € $sig$)
        RETURNING id
    $sql$ INTO mail_id USING recipient, subject, body;
    RETURN mail_id;
END
$function$;
COMMENT ON FUNCTION queue_mail(email_address, text, text, jsonb) IS 'Puts a mail into the queue; {{name}} in the template is replaced from variables.';

CREATE FUNCTION invoice_close(invoice integer) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    closed public.invoices;
BEGIN
    UPDATE public.invoices i
    SET number = public.invoice_next_number(CURRENT_DATE), status = 'sent', issued_on = CURRENT_DATE,
        due_on = CURRENT_DATE + c.payment_days,
        total = (SELECT coalesce(sum(l.net + l.vat), 0) FROM public.invoice_lines l WHERE l.invoice_id = i.id)
    FROM public.customers c
    WHERE i.id = invoice AND i.status = 'open' AND c.id = i.customer_id
    RETURNING i.* INTO closed;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'invoice % is not open', invoice USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF closed.sent_to IS NOT NULL THEN
        PERFORM public.queue_mail(closed.sent_to, 'Rechnung ' || closed.number,
            E'Guten Tag,\n\nanbei Rechnung {{number}} über {{total}} {{currency}}; zahlbar bis {{due}}.\n',
            jsonb_build_object('number', closed.number, 'total', closed.total, 'currency', closed.currency, 'due', closed.due_on));
    END IF;
    RETURN closed.number;
END
$$;

CREATE PROCEDURE close_month(for_month date)
    LANGUAGE plpgsql
    AS $$
DECLARE
    customer record;
BEGIN
    FOR customer IN
        SELECT customer_id FROM public.customer_months
        WHERE month = date_trunc('month', for_month) AND to_invoice > 0 ORDER BY customer_id
    LOOP
        PERFORM public.invoice_close(public.invoice_create(customer.customer_id, for_month));
        COMMIT; -- one customer's trouble must not hold back the others
    END LOOP;
END
$$;
COMMENT ON PROCEDURE close_month(date) IS 'Invoices a month for all customers; may be called again after an error.';

CREATE FUNCTION import_help() RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $help$
SELECT $text$Import hours with psql; fields are separated by tabs; end with a line of backslash and dot:

--
-- Data for Name: hours; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.hours (user_id, project_id, work_date, minutes, note) FROM stdin;
7	12	2026-11-13	90	Workshop
\.

It's all or nothing; DROP TABLE public.hours; is not needed before.$text$
$help$;
COMMENT ON FUNCTION import_help() IS 'Shown by the application''s import page.
Its text looks like a part of a dump:
COPY public.nowhere (id) FROM stdin;
but it is none; readers of dumps, beware.';

-- Triggers and rules -----------------------------------------------------------------------------

CREATE FUNCTION touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;

CREATE FUNCTION audit.write() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
BEGIN
    INSERT INTO audit.entries (actor, address, table_name, action, row_id, before, after)
    VALUES (public.current_user_id(), inet_client_addr(), TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, left(TG_OP, 1),
            (coalesce(new_row, old_row) ->> 'id')::bigint, old_row - 'password_hash', new_row - 'password_hash');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION audit.write() IS 'Trigger function: writes audit.entries, without password hashes.';

CREATE FUNCTION hours_check() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    booked integer;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.invoice_line_id IS NOT NULL AND NEW.invoice_line_id IS NOT NULL THEN
        RAISE EXCEPTION 'hours % are invoiced and cannot change', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT coalesce(sum(h.minutes), 0) INTO booked
    FROM public.hours h WHERE h.user_id = NEW.user_id AND h.work_date = NEW.work_date AND h.id <> NEW.id;
    IF booked + NEW.minutes > 1440 THEN
        RAISE EXCEPTION 'more than 24 hours on % (% booked)', NEW.work_date, public.format_duration(booked)
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION timesheet_write() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    person integer;
    project integer;
    minutes integer := extract(epoch FROM NEW.duration::interval) / 60;
BEGIN
    SELECT id INTO STRICT person FROM public.users WHERE login = NEW.login;
    SELECT id INTO STRICT project FROM public.projects WHERE code = NEW.project;
    INSERT INTO public.hours (user_id, project_id, work_date, minutes, rate, note)
    VALUES (person, project, NEW.work_date, minutes, public.effective_rate(person, project, NEW.work_date), coalesce(NEW.note, ''))
    RETURNING id INTO NEW.id;
    RETURN NEW;
END
$$;

CREATE FUNCTION contracts_unlink_scan() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN PERFORM lo_unlink(OLD.scan); RETURN NULL; END $$;

CREATE FUNCTION scheduled_jobs_notify() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN PERFORM pg_notify('scheduled_jobs', coalesce(NEW.name, OLD.name)); RETURN NULL; END $$;

CREATE TRIGGER projects_set_path BEFORE INSERT OR UPDATE OF parent_id, path ON projects
    FOR EACH ROW EXECUTE FUNCTION projects_set_path();
CREATE TRIGGER projects_move_children AFTER UPDATE ON projects
    FOR EACH ROW WHEN (OLD.path IS DISTINCT FROM NEW.path) EXECUTE FUNCTION projects_move_children();
CREATE TRIGGER projects_touch BEFORE UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER projects_audit AFTER INSERT OR DELETE OR UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION audit.write();
CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER users_audit AFTER INSERT OR DELETE OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION audit.write();
CREATE TRIGGER invoices_audit AFTER INSERT OR DELETE OR UPDATE ON invoices FOR EACH ROW EXECUTE FUNCTION audit.write();
CREATE TRIGGER hours_check BEFORE INSERT OR UPDATE ON hours FOR EACH ROW EXECUTE FUNCTION hours_check();
CREATE TRIGGER hours_audit AFTER DELETE OR UPDATE ON hours FOR EACH ROW EXECUTE FUNCTION audit.write();
CREATE TRIGGER contracts_unlink_scan AFTER DELETE ON contracts
    FOR EACH ROW WHEN (OLD.scan IS NOT NULL) EXECUTE FUNCTION contracts_unlink_scan();
CREATE TRIGGER scheduled_jobs_notify AFTER INSERT OR DELETE OR UPDATE ON scheduled_jobs
    FOR EACH ROW EXECUTE FUNCTION scheduled_jobs_notify();
ALTER TABLE scheduled_jobs DISABLE TRIGGER scheduled_jobs_notify;
CREATE TRIGGER timesheet_write INSTEAD OF INSERT ON timesheet FOR EACH ROW EXECUTE FUNCTION timesheet_write();
COMMENT ON TRIGGER hours_check ON hours IS 'No more than 24 hours a day; invoiced rows stay as they are.';

CREATE RULE settings_keep_protected AS ON DELETE TO settings WHERE OLD.is_protected DO INSTEAD NOTHING;
COMMENT ON RULE settings_keep_protected ON settings IS 'Deleting a protected setting does nothing.';

-- Who may see what ----------------------------------------------------------------------------------

ALTER TABLE "Time Off" ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_or_team ON "Time Off" TO PUBLIC
    USING ("User Id" = current_user_id()
        OR EXISTS (SELECT FROM users u JOIN departments d ON d.id = u.department_id
                   WHERE u.id = "Time Off"."User Id" AND d.head_id = current_user_id()))
    WITH CHECK ("User Id" = current_user_id());
COMMENT ON POLICY own_or_team ON "Time Off" IS 'One''s own time off, and that of the department one heads.';
ALTER TABLE mail_queue ENABLE ROW LEVEL SECURITY;
CREATE POLICY only_sent_mail ON mail_queue AS RESTRICTIVE FOR SELECT TO PUBLIC USING (status = 'sent');

GRANT SELECT ON departments, holidays, exchange_rates, project_totals, "Time Off" TO PUBLIC;
GRANT SELECT (id, name, department_id) ON users TO PUBLIC;
