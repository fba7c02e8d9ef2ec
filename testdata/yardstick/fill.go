package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/big"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// fillPostgreSQL recreates the table. The vacuum at the end keeps the server's own maintenance out of the measurement.
func fillPostgreSQL(ctx context.Context, dsn, table string, n int64, g *generator) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	name := pgx.Identifier{table}
	quoted := name.Sanitize()
	if _, err := conn.Exec(ctx, "DROP TABLE IF EXISTS "+quoted); err != nil || n == 0 {
		return err
	}
	if _, err := conn.Exec(ctx, "CREATE TABLE "+quoted+" (id bigint PRIMARY KEY, title text NOT NULL, body text NOT NULL,"+
		" price numeric(10,2) NOT NULL, stock int NOT NULL, created timestamptz NOT NULL, active bool NOT NULL)"); err != nil {
		return err
	}
	var id int64
	next := func() ([]any, error) {
		if id == n {
			return nil, nil
		}
		id++
		r := g.row(id)
		price := pgtype.Numeric{Int: big.NewInt(r.cents), Exp: -2, Valid: true}
		return []any{r.id, r.title, r.body, price, r.stock, r.created, r.active}, nil
	}
	if _, err := conn.CopyFrom(ctx, name, columns, pgx.CopyFromFunc(next)); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "VACUUM (ANALYZE, FREEZE) "+quoted)
	return err
}

// rowsPerInsert keeps a statement below MySQL's limit.
const rowsPerInsert = 1000

// fillMySQL recreates the table in the database of the address, which is created if it does not exist.
func fillMySQL(ctx context.Context, dsn, table string, n int64, g *generator) error {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return err
	}
	quote := func(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
	database := quote(config.DBName)
	config.DBName, config.InterpolateParams, config.Collation = "", true, "utf8mb4_general_ci"
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return err
	}
	pool := sql.OpenDB(connector)
	defer func() { _ = pool.Close() }()
	if _, err := pool.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+database); err != nil {
		return err
	}
	quoted := database + "." + quote(table)
	if _, err := pool.ExecContext(ctx, "DROP TABLE IF EXISTS "+quoted); err != nil || n == 0 {
		return err
	}
	if _, err := pool.ExecContext(ctx, "CREATE TABLE "+quoted+" (id bigint PRIMARY KEY, title text NOT NULL, body text NOT NULL,"+
		" price decimal(10,2) NOT NULL, stock int NOT NULL, created datetime NOT NULL, active bool NOT NULL) CHARACTER SET utf8mb4"); err != nil {
		return err
	}
	for id := int64(1); id <= n; id += rowsPerInsert {
		last := min(n, id+rowsPerInsert-1)
		if err := insert(ctx, pool, quoted, id, last, g); err != nil {
			return err
		}
	}
	_, err = pool.ExecContext(ctx, "ANALYZE TABLE "+quoted)
	return err
}

// insert writes the rows from first to last.
func insert(ctx context.Context, pool *sql.DB, table string, first, last int64, g *generator) error {
	var values []any
	for id := first; id <= last; id++ {
		r := g.row(id)
		price := fmt.Sprintf("%d.%02d", r.cents/100, r.cents%100)
		values = append(values, r.id, r.title, r.body, price, r.stock, r.created.Format("2006-01-02 15:04:05"), r.active)
	}
	places := strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?, ?), ", int(last-first+1)), ", ")
	_, err := pool.ExecContext(ctx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES "+places, values...)
	return err
}
