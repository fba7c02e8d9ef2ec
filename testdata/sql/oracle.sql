-- Every statement that the source oracle sends, here about a table SHOP.ORDERS.

-- when a connection is opened, and when it is checked
ALTER SESSION SET TIME_ZONE = '+00:00';
ALTER SESSION SET NLS_COMP = BINARY NLS_SORT = BINARY;
ALTER SESSION SET NLS_NUMERIC_CHARACTERS = '.,';
ALTER SESSION SET NLS_DATE_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS';
ALTER SESSION SET NLS_TIMESTAMP_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.FF';
ALTER SESSION SET NLS_TIMESTAMP_TZ_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.FFTZH:TZM';
SELECT 1 FROM DUAL;

-- when a run begins, and for each table: its columns, its key, its rows
SELECT table_name, num_rows,
       CASE WHEN temporary = 'Y' THEN 'is temporary'
            WHEN nested = 'YES' THEN 'is a nested table; its rows are part of another'
            WHEN secondary = 'Y' THEN 'belongs to an index'
            WHEN iot_type IN ('IOT_OVERFLOW', 'IOT_MAPPING') THEN 'belongs to another table' END
FROM all_tables
WHERE owner = :1
ORDER BY table_name;
--   :1 is SHOP (string)
SELECT container_name
FROM all_mviews
WHERE owner = :1;
--   :1 is SHOP (string)
SELECT view_name
FROM all_views
WHERE owner = :1
ORDER BY view_name;
--   :1 is SHOP (string)
SELECT TO_CHAR(DBMS_FLASHBACK.GET_SYSTEM_CHANGE_NUMBER) FROM DUAL;
SET TRANSACTION READ ONLY;
SELECT c.constraint_name, c.constraint_type, cc.column_name,
       CASE WHEN tc.nullable = 'N' AND (tc.hidden_column = 'NO' OR tc.user_generated = 'YES') AND c.validated = 'VALIDATED' THEN 'Y' END
FROM all_constraints c
JOIN all_cons_columns cc ON cc.owner = c.owner AND cc.constraint_name = c.constraint_name
JOIN all_tab_cols tc ON tc.owner = cc.owner AND tc.table_name = cc.table_name AND tc.column_name = cc.column_name
WHERE c.owner = :1 AND c.table_name = :2 AND c.constraint_type IN ('P', 'U') AND c.status = 'ENABLED'
ORDER BY c.constraint_type, c.constraint_name, cc.position;
--   :1 is SHOP (string)
--   :2 is ORDERS (string)
SELECT column_name, data_type, data_type_owner, data_precision, data_scale, collation, hidden_column
FROM all_tab_cols
WHERE owner = :1 AND table_name = :2 AND (hidden_column = 'NO' OR user_generated = 'YES')
ORDER BY column_id;
--   :1 is SHOP (string)
--   :2 is ORDERS (string)
SELECT "ID" FROM "SHOP"."ORDERS" AS OF SCN 1000 ORDER BY "ID";

-- for a table with columns of all types
SELECT COUNT(*)
FROM all_procedures
WHERE owner = 'MDSYS' AND object_name = 'SDO_UTIL' AND procedure_name = 'TO_GEOJSON';
SELECT "ID", "C1", "C2", TO_BINARY_DOUBLE("C3"), "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C13", "C14", "C15", "C16", SYS_EXTRACT_UTC("C17"), SYS_EXTRACT_UTC("C18"), TO_CHAR("C19"), TO_CHAR("C20"), "C21", "C22", "C23", JSON_SERIALIZE("C24" RETURNING CLOB), VECTOR_SERIALIZE("C25" RETURNING CLOB), XMLSERIALIZE(CONTENT "C26" AS CLOB), MDSYS.SDO_UTIL.TO_GEOJSON("C27") FROM "SHOP"."ORDERS" AS OF SCN 1000 ORDER BY "ID";

-- for the same in the encoding compat
SELECT "ID", "C1", "C2", TO_BINARY_DOUBLE("C3"), "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C13", "C14", "C15", "C16", CAST("C17" AS TIMESTAMP), CAST("C18" AS TIMESTAMP), TO_CHAR("C19"), TO_CHAR("C20"), "C21", "C22", "C23", JSON_SERIALIZE("C24" RETURNING CLOB), VECTOR_SERIALIZE("C25" RETURNING CLOB), XMLSERIALIZE(CONTENT "C26" AS CLOB), MDSYS.SDO_UTIL.TO_GEOJSON("C27") FROM "SHOP"."ORDERS" AS OF SCN 1000 ORDER BY "ID";

-- if the user may not execute DBMS_FLASHBACK, nor select from V$DATABASE
SELECT TO_CHAR(CURRENT_SCN) FROM V$DATABASE;
SELECT "ID" FROM "SHOP"."ORDERS" ORDER BY "ID";

-- if the server no longer has the row versions: a new change number, after the last row
SELECT "ID" FROM "SHOP"."ORDERS" AS OF SCN 2000 WHERE "ID" > :1 ORDER BY "ID";
--   :1 is 5 (int64)

-- if a table was altered since the run began
ROLLBACK;

-- if the connection was lost, after the last row of a key of two columns
SELECT "ID", "LINE", "DAY", "NOTE" FROM "SHOP"."ORDERS" AS OF SCN 1000 ORDER BY "ID", "LINE";
SELECT "ID", "LINE", "DAY", "NOTE" FROM "SHOP"."ORDERS" AS OF SCN 1000 WHERE "ID" >= :1 AND ("ID" > :2 OR ("ID" = :3 AND "LINE" > :4)) ORDER BY "ID", "LINE";
--   :1 is 5 (int64)
--   :2 is 5 (int64)
--   :3 is 5 (int64)
--   :4 is a (string)

-- if the server lacks a column or a view of the catalogue
SELECT table_name, NULL, NULL
FROM all_tables
WHERE owner = :1
ORDER BY table_name;
--   :1 is SHOP (string)
SELECT view_name
FROM all_views
WHERE owner = :1 AND 1 = 0;
--   :1 is SHOP (string)
SELECT c.constraint_name, c.constraint_type, cc.column_name,
       CASE WHEN tc.nullable = 'N' AND tc.hidden_column = 'NO' AND c.validated = 'VALIDATED' THEN 'Y' END
FROM all_constraints c
JOIN all_cons_columns cc ON cc.owner = c.owner AND cc.constraint_name = c.constraint_name
JOIN all_tab_cols tc ON tc.owner = cc.owner AND tc.table_name = cc.table_name AND tc.column_name = cc.column_name
WHERE c.owner = :1 AND c.table_name = :2 AND c.constraint_type IN ('P', 'U') AND c.status = 'ENABLED'
ORDER BY c.constraint_type, c.constraint_name, cc.position;
--   :1 is SHOP (string)
--   :2 is ORDERS (string)
SELECT c.constraint_name, c.constraint_type, cc.column_name, CASE WHEN tc.nullable = 'N' THEN 'Y' END
FROM all_constraints c
JOIN all_cons_columns cc ON cc.owner = c.owner AND cc.constraint_name = c.constraint_name
JOIN all_tab_columns tc ON tc.owner = cc.owner AND tc.table_name = cc.table_name AND tc.column_name = cc.column_name
WHERE c.owner = :1 AND c.table_name = :2 AND c.constraint_type IN ('P', 'U')
ORDER BY c.constraint_type, c.constraint_name, cc.position;
--   :1 is SHOP (string)
--   :2 is ORDERS (string)
SELECT column_name, data_type, data_type_owner, data_precision, data_scale, NULL, 'NO'
FROM all_tab_cols
WHERE owner = :1 AND table_name = :2 AND hidden_column = 'NO'
ORDER BY column_id;
--   :1 is SHOP (string)
--   :2 is ORDERS (string)
SELECT column_name, data_type, NULL, data_precision, data_scale, NULL, 'NO'
FROM all_tab_columns
WHERE owner = :1 AND table_name = :2
ORDER BY column_id;
--   :1 is SHOP (string)
--   :2 is ORDERS (string)

-- for an advanced rule: the columns of its query, and the query, here one with a column that is converted in the SELECT
SELECT * FROM (
SELECT id, span FROM orders
) q WHERE 1 = 0;
SELECT "ID", TO_CHAR("SPAN") FROM (
SELECT id, span FROM orders
) q;
