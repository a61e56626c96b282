-- Changes by hand; the preview tells of each of them, and up corrects it.
alter role shop password 'changed-by-hand-123';
alter role shop_readonly password null;
alter role shop set search_path = nowhere;
alter role shop set statement_timeout = '1ms';
alter database shop set default_transaction_read_only = on;
alter role shop_readonly in database shop set default_transaction_read_only = off;
create role mallory login password 'x12345678'; grant shop_owner to mallory; grant connect on database shop to mallory;
grant stagecraft_dbadmin to bob;            -- bob: Tester
grant shop_owner to stagecraft_tester;
revoke pg_monitor from stagecraft_monitor;
revoke stagecraft_helpdesk from henry;      -- henry: HelpDesk
alter role iris login password 'x12345678'; grant stagecraft_dbadmin to iris;  -- after iris was taken out of people
alter database shop owner to shop;
alter schema public owner to shop;
alter table public.t owner to shop;
