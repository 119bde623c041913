-- Has a database remember how it is now, and gives it a function that brings it back there.
CREATE SCHEMA pristine;
DO $$
DECLARE one record; found boolean;
BEGIN
  FOR one IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', one.name) INTO found;
    IF found THEN
      EXECUTE format('CREATE TABLE pristine.%I AS TABLE public.%I', one.name, one.name);
    END IF;
  END LOOP;
END $$;
CREATE VIEW pristine.shape AS
  SELECT count(*) AS relations, max(oid::bigint) AS newest,
    (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace) AS functions,
    (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal) AS triggers
  FROM pg_class WHERE relnamespace = 'public'::regnamespace;
CREATE MATERIALIZED VIEW pristine.former_shape AS SELECT * FROM pristine.shape;
CREATE FUNCTION pristine.restore() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE one record;
BEGIN
  IF NOT EXISTS (SELECT FROM pristine.shape NATURAL JOIN pristine.former_shape) THEN
    RETURN false;
  END IF;
  -- No foreign key is looked at while all of it goes.
  SET LOCAL session_replication_role = replica;
  FOR one IN SELECT c.relname AS name, pg_relation_size(c.oid) AS bytes FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND pg_relation_size(c.oid) > 0 LOOP
    IF one.bytes < 32 * 8192 THEN  -- from there on it is quicker to begin it anew
      EXECUTE format('DELETE FROM public.%I', one.name);
    ELSE
      EXECUTE format('TRUNCATE public.%I CASCADE', one.name);
    END IF;
  END LOOP;
  FOR one IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'pristine' LOOP
    EXECUTE format(
      'INSERT INTO public.%I OVERRIDING SYSTEM VALUE SELECT * FROM pristine.%I', one.name, one.name
    );
  END LOOP;
  FOR one IN SELECT sequencename AS name FROM pg_sequences
    WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
    EXECUTE format('ALTER SEQUENCE public.%I RESTART', one.name);
  END LOOP;
  RETURN true;
END $$;
