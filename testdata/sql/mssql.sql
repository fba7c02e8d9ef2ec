-- first on every connection
SET LOCK_TIMEOUT 60000;
SET DATEFORMAT ymd;
SET ARITHABORT ON;
SET QUOTED_IDENTIFIER ON;
SET NOCOUNT ON;
SET TEXTSIZE 2147483647;
SET XACT_ABORT OFF;
SET IMPLICIT_TRANSACTIONS OFF;
SET DEADLOCK_PRIORITY LOW;
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
GO

-- next: who and where am I
SELECT USER_NAME(), CASE WHEN N'a' = N'A' COLLATE CATALOG_DEFAULT THEN 1 ELSE 0 END,
       CONVERT(int, d.snapshot_isolation_state), CONVERT(int, d.is_read_committed_snapshot_on)
FROM sys.databases d
WHERE d.name = DB_NAME();
GO

-- at a ping
SELECT 1;
GO

-- at the beginning of a run, and to check advanced rules: what exists
SELECT o.object_id, SCHEMA_NAME(o.schema_id), o.name,
       CASE WHEN o.type = 'V' THEN 'view' WHEN t.is_external = 1 THEN 'external table' WHEN t.ledger_type = 1 THEN 'ledger history table'
            WHEN t.is_dropped_ledger_table = 1 THEN 'dropped ledger table' ELSE 'table' END,
       COALESCE(CONVERT(int, t.is_memory_optimized), 0),
       HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(o.schema_id)) + N'.' + QUOTENAME(o.name), 'OBJECT', 'SELECT'),
       (SELECT SUM(p.rows) FROM sys.partitions p WHERE p.object_id = o.object_id AND p.index_id IN (0, 1))
FROM sys.objects o LEFT JOIN sys.tables t ON t.object_id = o.object_id
WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 AND COALESCE(t.temporal_type, 0) <> 1
ORDER BY SCHEMA_NAME(o.schema_id), o.name;
GO

-- the same if the previous one fails with error 207, before SQL Server 2022
SELECT o.object_id, SCHEMA_NAME(o.schema_id), o.name,
       CASE WHEN o.type = 'V' THEN 'view' WHEN t.is_external = 1 THEN 'external table' ELSE 'table' END,
       COALESCE(CONVERT(int, t.is_memory_optimized), 0),
       HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(o.schema_id)) + N'.' + QUOTENAME(o.name), 'OBJECT', 'SELECT'),
       (SELECT SUM(p.rows) FROM sys.partitions p WHERE p.object_id = o.object_id AND p.index_id IN (0, 1))
FROM sys.objects o LEFT JOIN sys.tables t ON t.object_id = o.object_id
WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 AND COALESCE(t.temporal_type, 0) <> 1
ORDER BY SCHEMA_NAME(o.schema_id), o.name;
GO

-- the same if that fails with error 207 as well, before SQL Server 2016
SELECT o.object_id, SCHEMA_NAME(o.schema_id), o.name,
       CASE WHEN o.type = 'V' THEN 'view' ELSE 'table' END,
       0,
       HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(o.schema_id)) + N'.' + QUOTENAME(o.name), 'OBJECT', 'SELECT'),
       (SELECT SUM(p.rows) FROM sys.partitions p WHERE p.object_id = o.object_id AND p.index_id IN (0, 1))
FROM sys.objects o
WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0
ORDER BY SCHEMA_NAME(o.schema_id), o.name;
GO

-- for each configured schema without visible objects: does it exist
-- @p1: string "dbo"
SELECT SCHEMA_ID(@p1);
GO

-- if the database allows snapshot isolation, on each connection: before its transaction
SET TRANSACTION ISOLATION LEVEL SNAPSHOT;
GO

-- next
BEGIN TRANSACTION;
GO

-- next, when all connections have a transaction: take the snapshot, by reading one of the tables
SELECT TOP (1) 1 FROM [dbo].[a]]b];
GO

-- if no table can be read in this way: end the transaction again
IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;
GO

-- before a table is described: outside the snapshot; afterwards the level is SNAPSHOT again
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
GO

-- for each table: its columns
-- @p1: int64 "1"
SELECT c.name, COALESCE(CASE WHEN t.is_user_defined = 0 OR t.is_assembly_type = 1 THEN t.name END, TYPE_NAME(c.system_type_id)),
       c.max_length, c.precision, c.scale, c.collation_name,
       CASE WHEN c.encryption_type IS NULL THEN 0 ELSE 1 END,
       CASE WHEN c.is_masked = 1 AND HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'UNMASK') = 0 THEN 1 ELSE 0 END
FROM sys.columns c LEFT JOIN sys.types t ON t.user_type_id = c.user_type_id
WHERE c.object_id = @p1 AND c.is_hidden = 0 AND c.is_column_set = 0
ORDER BY c.column_id;
GO

-- the same before SQL Server 2016
-- @p1: int64 "1"
SELECT c.name, COALESCE(CASE WHEN t.is_user_defined = 0 OR t.is_assembly_type = 1 THEN t.name END, TYPE_NAME(c.system_type_id)),
       c.max_length, c.precision, c.scale, c.collation_name,
       0, 0
FROM sys.columns c LEFT JOIN sys.types t ON t.user_type_id = c.user_type_id
WHERE c.object_id = @p1 AND c.is_column_set = 0
ORDER BY c.column_id;
GO

-- for each table: its unique indexes
-- @p1: int64 "1"
SELECT i.name, i.is_primary_key, c.name, CASE WHEN c.is_nullable = 1 OR c.is_hidden = 1 THEN 1 ELSE 0 END
FROM sys.indexes i
JOIN sys.index_columns x ON x.object_id = i.object_id AND x.index_id = i.index_id AND x.key_ordinal > 0
JOIN sys.columns c ON c.object_id = x.object_id AND c.column_id = x.column_id
WHERE i.object_id = @p1 AND i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0 AND i.is_hypothetical = 0
ORDER BY i.is_primary_key DESC, i.index_id, x.key_ordinal;
GO

-- the same before SQL Server 2016
-- @p1: int64 "1"
SELECT i.name, i.is_primary_key, c.name, CASE WHEN c.is_nullable = 1 THEN 1 ELSE 0 END
FROM sys.indexes i
JOIN sys.index_columns x ON x.object_id = i.object_id AND x.index_id = i.index_id AND x.key_ordinal > 0
JOIN sys.columns c ON c.object_id = x.object_id AND c.column_id = x.column_id
WHERE i.object_id = @p1 AND i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0 AND i.is_hypothetical = 0
ORDER BY i.is_primary_key DESC, i.index_id, x.key_ordinal;
GO

-- for each advanced rule, before its query, and to check it: the columns of the result, and whether there is one
-- @p1: string "SELECT id FROM dbo.orders"
EXEC sys.sp_describe_first_result_set @tsql = @p1;
GO

-- for each collation among them
-- @p1: string "Czech_CI_AS"
SELECT CONVERT(int, COLLATIONPROPERTY(@p1, 'CodePage'));
GO

-- after an error of the server: whether the transaction is still open
SELECT @@TRANCOUNT;
GO

-- a table without a key, or with one that the server cannot sort reliably
SELECT [a], CONVERT(nvarchar(20), [b]]]), [c] FROM [x.y].[a]]b];
GO

-- a table with a key, from its beginning
SELECT [a], CONVERT(nvarchar(20), [b]]]), [c] FROM [x.y].[a]]b] ORDER BY [b]]], [a];
GO

-- the same, after a row
-- @p1: string "é"
-- @p2: int64 "7"
SELECT [a], CONVERT(nvarchar(20), [b]]]), [c] FROM [x.y].[a]]b] WHERE [b]]] >= CONVERT(varchar(20), @p1 COLLATE SQL_Latin1_General_CP1_CI_AS) AND ([b]]] > CONVERT(varchar(20), @p1 COLLATE SQL_Latin1_General_CP1_CI_AS) OR ([b]]] = CONVERT(varchar(20), @p1 COLLATE SQL_Latin1_General_CP1_CI_AS) AND [a] > CONVERT(int, @p2))) ORDER BY [b]]], [a];
GO

-- columns of every type
SELECT [id], [tinyint], [smallint], [bigint], [bit], [decimal], [numeric], [money], [smallmoney], [float], [real], CONVERT(nvarchar(10), [char]), CONVERT(nvarchar(20), [varchar]), CONVERT(nvarchar(max), [varchar(max)]), CONVERT(nvarchar(max), [text]), CONVERT(nvarchar(10), [utf8 char]), CONVERT(nvarchar(max), [utf8 varchar]), CONVERT(nvarchar(max), [utf8 varchar(max)]), CONVERT(nvarchar(max), [utf8 text]), [nchar], [nvarchar], [nvarchar(max)], [ntext], [sysname], [xml], CONVERT(nvarchar(max), [json]), CONVERT(nvarchar(max), [vector]), [date], [time], [smalldatetime], [datetime], [datetime2], [datetimeoffset], [uniqueidentifier], [binary], [varbinary], [varbinary(max)], [image], [rowversion], [hierarchyid].ToString(), [geometry].AsTextZM(), [geography].AsTextZM(), CONVERT(nvarchar(60), SQL_VARIANT_PROPERTY([sql_variant], 'BaseType')) + N':' + CASE CONVERT(nvarchar(60), SQL_VARIANT_PROPERTY([sql_variant], 'BaseType')) WHEN N'float' THEN CONVERT(nvarchar(max), CONVERT(float, [sql_variant]), 3) WHEN N'real' THEN CONVERT(nvarchar(max), CONVERT(float, [sql_variant]), 3) WHEN N'money' THEN CONVERT(nvarchar(max), CONVERT(money, [sql_variant]), 2) WHEN N'smallmoney' THEN CONVERT(nvarchar(max), CONVERT(money, [sql_variant]), 2) WHEN N'binary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), [sql_variant]), 2) WHEN N'varbinary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), [sql_variant]), 2) WHEN N'date' THEN CONVERT(nvarchar(max), CONVERT(date, [sql_variant]), 23) WHEN N'time' THEN CONVERT(nvarchar(max), CONVERT(time(7), [sql_variant]), 121) WHEN N'datetimeoffset' THEN CONVERT(nvarchar(max), CONVERT(datetimeoffset(7), [sql_variant]), 121) WHEN N'smalldatetime' THEN CONVERT(nvarchar(max), CONVERT(datetime, [sql_variant]), 121) WHEN N'datetime' THEN CONVERT(nvarchar(max), CONVERT(datetime, [sql_variant]), 121) WHEN N'datetime2' THEN CONVERT(nvarchar(max), CONVERT(datetime2(7), [sql_variant]), 121) WHEN N'char' THEN CONVERT(nvarchar(max), CONVERT(nvarchar(4000), [sql_variant])) + SUBSTRING(CONVERT(nvarchar(max), CONVERT(varchar(8000), [sql_variant])), 4001, 4000) WHEN N'varchar' THEN CONVERT(nvarchar(max), CONVERT(nvarchar(4000), [sql_variant])) + SUBSTRING(CONVERT(nvarchar(max), CONVERT(varchar(8000), [sql_variant])), 4001, 4000) ELSE CONVERT(nvarchar(4000), [sql_variant]) END, CONVERT(varbinary(max), [of the user]), [encrypted] FROM [x.y].[a]]b];
GO

-- columns of every type in the encoding compat
SELECT [id], [tinyint], [smallint], [bigint], [bit], [decimal], [numeric], [money], [smallmoney], [float], [real], CONVERT(nvarchar(10), [char]), CONVERT(nvarchar(20), [varchar]), CONVERT(nvarchar(max), [varchar(max)]), CONVERT(nvarchar(max), [text]), CONVERT(nvarchar(10), [utf8 char]), CONVERT(nvarchar(max), [utf8 varchar]), CONVERT(nvarchar(max), [utf8 varchar(max)]), CONVERT(nvarchar(max), [utf8 text]), [nchar], [nvarchar], [nvarchar(max)], [ntext], [sysname], [xml], CONVERT(nvarchar(max), [json]), CONVERT(nvarchar(max), [vector]), [date], [time], [smalldatetime], [datetime], [datetime2], [datetimeoffset], [uniqueidentifier], [binary], [varbinary], [varbinary(max)], [image], [rowversion], [hierarchyid], [geometry], [geography], CONVERT(nvarchar(60), SQL_VARIANT_PROPERTY([sql_variant], 'BaseType')) + N':' + CASE CONVERT(nvarchar(60), SQL_VARIANT_PROPERTY([sql_variant], 'BaseType')) WHEN N'float' THEN CONVERT(nvarchar(max), CONVERT(float, [sql_variant]), 3) WHEN N'real' THEN CONVERT(nvarchar(max), CONVERT(float, [sql_variant]), 3) WHEN N'money' THEN CONVERT(nvarchar(max), CONVERT(money, [sql_variant]), 2) WHEN N'smallmoney' THEN CONVERT(nvarchar(max), CONVERT(money, [sql_variant]), 2) WHEN N'binary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), [sql_variant]), 2) WHEN N'varbinary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), [sql_variant]), 2) WHEN N'date' THEN CONVERT(nvarchar(max), CONVERT(date, [sql_variant]), 23) WHEN N'time' THEN CONVERT(nvarchar(max), CONVERT(time(7), [sql_variant]), 121) WHEN N'datetimeoffset' THEN CONVERT(nvarchar(max), CONVERT(datetimeoffset(7), [sql_variant]), 121) WHEN N'smalldatetime' THEN CONVERT(nvarchar(max), CONVERT(datetime, [sql_variant]), 121) WHEN N'datetime' THEN CONVERT(nvarchar(max), CONVERT(datetime, [sql_variant]), 121) WHEN N'datetime2' THEN CONVERT(nvarchar(max), CONVERT(datetime2(7), [sql_variant]), 121) WHEN N'char' THEN CONVERT(nvarchar(max), CONVERT(nvarchar(4000), [sql_variant])) + SUBSTRING(CONVERT(nvarchar(max), CONVERT(varchar(8000), [sql_variant])), 4001, 4000) WHEN N'varchar' THEN CONVERT(nvarchar(max), CONVERT(nvarchar(4000), [sql_variant])) + SUBSTRING(CONVERT(nvarchar(max), CONVERT(varchar(8000), [sql_variant])), 4001, 4000) ELSE CONVERT(nvarchar(4000), [sql_variant]) END, CONVERT(varbinary(max), [of the user]), [encrypted] FROM [x.y].[a]]b];
GO

-- columns of every type before SQL Server 2016
SELECT [id], [tinyint], [smallint], [bigint], [bit], [decimal], [numeric], [money], [smallmoney], [float], [real], CONVERT(nvarchar(10), [char]), CONVERT(nvarchar(20), [varchar]), CONVERT(nvarchar(max), [varchar(max)]), CONVERT(nvarchar(max), [text]), CONVERT(nvarchar(10), [utf8 char]), CONVERT(nvarchar(max), [utf8 varchar]), CONVERT(nvarchar(max), [utf8 varchar(max)]), CONVERT(nvarchar(max), [utf8 text]), [nchar], [nvarchar], [nvarchar(max)], [ntext], [sysname], [xml], CONVERT(nvarchar(max), [json]), CONVERT(nvarchar(max), [vector]), [date], [time], [smalldatetime], [datetime], [datetime2], [datetimeoffset], [uniqueidentifier], [binary], [varbinary], [varbinary(max)], [image], [rowversion], [hierarchyid].ToString(), [geometry].AsTextZM(), [geography].AsTextZM(), CONVERT(nvarchar(60), SQL_VARIANT_PROPERTY([sql_variant], 'BaseType')) + N':' + CASE CONVERT(nvarchar(60), SQL_VARIANT_PROPERTY([sql_variant], 'BaseType')) WHEN N'float' THEN CONVERT(nvarchar(max), CONVERT(float, [sql_variant]), 2) WHEN N'real' THEN CONVERT(nvarchar(max), CONVERT(float, [sql_variant]), 2) WHEN N'money' THEN CONVERT(nvarchar(max), CONVERT(money, [sql_variant]), 2) WHEN N'smallmoney' THEN CONVERT(nvarchar(max), CONVERT(money, [sql_variant]), 2) WHEN N'binary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), [sql_variant]), 2) WHEN N'varbinary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), [sql_variant]), 2) WHEN N'date' THEN CONVERT(nvarchar(max), CONVERT(date, [sql_variant]), 23) WHEN N'time' THEN CONVERT(nvarchar(max), CONVERT(time(7), [sql_variant]), 121) WHEN N'datetimeoffset' THEN CONVERT(nvarchar(max), CONVERT(datetimeoffset(7), [sql_variant]), 121) WHEN N'smalldatetime' THEN CONVERT(nvarchar(max), CONVERT(datetime, [sql_variant]), 121) WHEN N'datetime' THEN CONVERT(nvarchar(max), CONVERT(datetime, [sql_variant]), 121) WHEN N'datetime2' THEN CONVERT(nvarchar(max), CONVERT(datetime2(7), [sql_variant]), 121) WHEN N'char' THEN CONVERT(nvarchar(max), CONVERT(nvarchar(4000), [sql_variant])) + SUBSTRING(CONVERT(nvarchar(max), CONVERT(varchar(8000), [sql_variant])), 4001, 4000) WHEN N'varchar' THEN CONVERT(nvarchar(max), CONVERT(nvarchar(4000), [sql_variant])) + SUBSTRING(CONVERT(nvarchar(max), CONVERT(varchar(8000), [sql_variant])), 4001, 4000) ELSE CONVERT(nvarchar(4000), [sql_variant]) END, CONVERT(varbinary(max), [of the user]), [encrypted] FROM [x.y].[a]]b];
GO

-- after a row whose key has the type bigint
-- @p1: int64 "1"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(bigint, @p1) ORDER BY [k];
GO

-- after a row whose key has the type binary
-- @p1: []uint8 "[0 1]"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(binary(8), @p1) ORDER BY [k];
GO

-- after a row whose key has the type bit
-- @p1: bool "true"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > @p1 ORDER BY [k];
GO

-- after a row whose key has the type char
-- @p1: string "a         "
SELECT CONVERT(nvarchar(10), [k]) FROM [x.y].[a]]b] WHERE [k] > CONVERT(char(10), @p1 COLLATE SQL_Latin1_General_CP1_CI_AS) ORDER BY [k];
GO

-- after a row whose key has the type date
-- @p1: string "2024-01-02"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(date, @p1) ORDER BY [k];
GO

-- after a row whose key has the type datetime
-- @p1: string "2024-01-02 03:04:05.123"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(datetime, @p1, 121) ORDER BY [k];
GO

-- after a row whose key has the type datetime2
-- @p1: string "2024-01-02 03:04:05.1234567"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(datetime2(7), @p1) ORDER BY [k];
GO

-- after a row whose key has the type datetimeoffset
-- @p1: string "2024-01-02 05:04:05.1234567 +02:00"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(datetimeoffset(7), @p1) ORDER BY [k];
GO

-- after a row whose key has the type decimal
-- @p1: string "1.5000000000"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(decimal(38, 10), @p1) ORDER BY [k];
GO

-- after a row whose key has the type int
-- @p1: int64 "1"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(int, @p1) ORDER BY [k];
GO

-- after a row whose key has the type money
-- @p1: string "1.5000"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(money, @p1) ORDER BY [k];
GO

-- after a row whose key has the type nchar
-- @p1: string "a         "
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > @p1 ORDER BY [k];
GO

-- after a row whose key has the type numeric
-- @p1: string "1"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(numeric(5, 0), @p1) ORDER BY [k];
GO

-- after a row whose key has the type nvarchar
-- @p1: string "a"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > @p1 ORDER BY [k];
GO

-- after a row whose key has the type rowversion
-- @p1: []uint8 "[0 0 0 0 0 0 7 209]"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(binary(8), @p1) ORDER BY [k];
GO

-- after a row whose key has the type smalldatetime
-- @p1: string "2024-01-02 03:04:00.000"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(smalldatetime, @p1, 121) ORDER BY [k];
GO

-- after a row whose key has the type smallint
-- @p1: int64 "1"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(smallint, @p1) ORDER BY [k];
GO

-- after a row whose key has the type smallmoney
-- @p1: string "1.5000"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(smallmoney, @p1) ORDER BY [k];
GO

-- after a row whose key has the type sysname
-- @p1: string "a"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > @p1 ORDER BY [k];
GO

-- after a row whose key has the type time
-- @p1: string "03:04:05.1234567"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(time(7), @p1) ORDER BY [k];
GO

-- after a row whose key has the type tinyint
-- @p1: int64 "1"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(tinyint, @p1) ORDER BY [k];
GO

-- after a row whose key has the type uniqueidentifier
-- @p1: string "01234567-89ab-cdef-0123-456789abcdef"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(uniqueidentifier, @p1) ORDER BY [k];
GO

-- after a row whose key has the type utf8 varchar
-- @p1: string "ž"
SELECT CONVERT(nvarchar(20), [k]) FROM [x.y].[a]]b] WHERE [k] > CONVERT(varchar(20), @p1 COLLATE Latin1_General_100_CI_AS_SC_UTF8) ORDER BY [k];
GO

-- after a row whose key has the type varbinary
-- @p1: []uint8 "[0 1]"
SELECT [k] FROM [x.y].[a]]b] WHERE [k] > CONVERT(varbinary(20), @p1) ORDER BY [k];
GO

-- after a row whose key has the type varchar
-- @p1: string "a"
SELECT CONVERT(nvarchar(20), [k]) FROM [x.y].[a]]b] WHERE [k] > CONVERT(varchar(20), @p1 COLLATE SQL_Latin1_General_CP1_CI_AS) ORDER BY [k];
GO

