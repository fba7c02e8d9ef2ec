package mysql

import (
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

func TestContract(t *testing.T) {
	for name, variable := range map[string]string{"mysql": onMySQL, "mariadb": onMariaDB} {
		t.Run(name, func(t *testing.T) {
			db := newDB(t, variable)
			db.exec("CREATE TABLE a (id int PRIMARY KEY, v text, at timestamp(3) NULL); CREATE TABLE `B.x` (k varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, l set('p', 'q'), `l.x` json);" +
				"INSERT INTO `B.x` VALUES ('', NULL, NULL), ('x', 'p,q', '{\"a\":[1.0]}'), ('\\n\x01', '', 'null');" +
				"CREATE TABLE nothing (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1), (2), (3)")
			db.fill("a", 500, "repeat('žluť ', n), now()")
			sqltest.Contract(t, sourcetest.Config{Type: Type, FailingPart: func(t *testing.T) sourcetest.FailingPart {
				t.Helper()
				user, values := db.reader()
				db.exec("GRANT SELECT ON " + db.name + ".a TO " + user + "; GRANT INSERT ON " + db.name + ".other TO " + user)
				values["tables"] = "a,other"
				return sourcetest.FailingPart{Values: values, Scope: "other", Kind: source.ErrAuth}
			}}, db.values, sqltest.Profiles)
		})
	}
}
