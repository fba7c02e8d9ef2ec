package mssql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

func TestContract(t *testing.T) {
	db := newDB(t)
	db.exec("CREATE TABLE a (id int PRIMARY KEY, v nvarchar(max), at datetime2(3))",
		"CREATE TABLE [B.x] (k nvarchar(100) COLLATE Latin1_General_BIN2 PRIMARY KEY, l bit, [l.x] varbinary(9))",
		"INSERT INTO [B.x] VALUES (N'', NULL, NULL), (N'x', 1, 0x00ff), (N'\n\x01', 0, 0x)",
		"CREATE TABLE nothing (id int PRIMARY KEY)", "CREATE TABLE other (id int PRIMARY KEY)", "INSERT INTO other VALUES (1), (2), (3)")
	db.fill("a", 500, func(n int) string {
		return fmt.Sprintf("%d, N'%s', '2024-01-02T03:04:05'", n, strings.Repeat("žluť ", n))
	})
	sqltest.Contract(t, sourcetest.Config{Type: Type, FailingPart: func(t *testing.T) sourcetest.FailingPart {
		t.Helper()
		user, values := db.reader()
		db.exec("GRANT SELECT ON a TO "+user, "GRANT INSERT ON other TO "+user)
		values["tables"] = "a,other"
		return sourcetest.FailingPart{Values: values, Scope: "dbo.other", Kind: source.ErrAuth}
	}}, db.values, sqltest.Profiles)
}
