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
			broken := func(key string, value any, kind error) sourcetest.Broken {
				return sourcetest.Broken{Values: db.values(map[string]any{key: value}), Kind: kind}
			}
			tls := broken("ssl_enabled", true, source.ErrConfig)
			tls.Values["ssl_ca"] = "garbage"
			config := sourcetest.Config{
				Type:   Type,
				Values: func(*testing.T) map[string]any { return db.values(nil) },
				Broken: map[string]sourcetest.Broken{
					"password": broken("password", "wrong", source.ErrAuth),
					"database": broken("database", "nosuch", source.ErrConfig),
					"port":     broken("port", 1, source.ErrUnreachable),
					"host":     broken("host", "nosuch.invalid", source.ErrUnreachable),
					"tables":   broken("tables", []any{" "}, source.ErrConfig),
					"pattern":  broken("tables", "a[", source.ErrConfig),
					"ssl_ca":   tls,
				},
				FailingPart: func(t *testing.T) sourcetest.FailingPart {
					t.Helper()
					user, values := db.reader()
					db.exec("GRANT SELECT ON " + db.name + ".a TO " + user + "; GRANT INSERT ON " + db.name + ".other TO " + user)
					values["tables"] = "a,other"
					return sourcetest.FailingPart{Values: values, Scope: "other", Kind: source.ErrAuth}
				},
				NoContent: "a row is all fields",
			}
			for _, config.Env = range []source.Env{{}, {Profile: "seed87", Encoding: "compat"}, {Profile: "native"}} {
				config.Env.StallTimeout = sqltest.Patience
				t.Run(config.Env.Profile+config.Env.Encoding, func(t *testing.T) { sourcetest.Run(t, config) })
			}
		})
	}
}
