package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// A row is what one line of the table and one document are made of: about 1 KB of text.
type row struct {
	id      int64
	title   string
	body    string
	cents   int64 // price in hundredths
	stock   int32
	created time.Time
	active  bool
}

// bodyBytes is how long the text of a row is, so that the document is about 1 KB.
const bodyBytes = 780

// A generator makes rows. The words come from a vocabulary in which, as in a language, a few are
// common and most are rare: text of evenly spread letters would flatter no index.
type generator struct {
	seed  uint64
	words []string
}

func newGenerator(seed uint64) *generator {
	const vocabulary = 5000
	syllables := strings.Fields("ba be bo da de do ka ke ki ko la le li lo ma me mi mo na ne ni no ra re ri ro sa se si so ta te ti to va ve vi vo")
	random := rand.New(rand.NewPCG(seed, 0))
	g := &generator{seed: seed, words: make([]string, vocabulary)}
	for i := range g.words {
		var w strings.Builder
		for range 1 + random.IntN(4) {
			w.WriteString(syllables[random.IntN(len(syllables))])
		}
		g.words[i] = w.String()
	}
	return g
}

// row makes the row of that id, whatever was made before.
func (g *generator) row(id int64) row {
	random := rand.New(rand.NewPCG(g.seed, uint64(id)))
	return row{
		id:      id,
		title:   g.text(random, 40),
		body:    g.text(random, bodyBytes),
		cents:   random.Int64N(1_000_000),
		stock:   random.Int32N(10_000),
		created: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(random.Int64N(31_536_000)) * time.Second),
		active:  random.IntN(4) > 0,
	}
}

// text joins words until it has at least n bytes.
func (g *generator) text(random *rand.Rand, n int) string {
	var b strings.Builder
	for b.Len() < n {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		// The square of an even number in [0,1) prefers the head of the vocabulary.
		x := random.Float64()
		b.WriteString(g.words[int(x*x*float64(len(g.words)))])
	}
	return b.String()
}

func rows(ctx context.Context, flags *flag.FlagSet, args []string, stdout io.Writer) error {
	dsn := flags.String("dsn", "", "PostgreSQL to fill")
	table := flags.String("table", "items", "table to make anew")
	n := flags.Int64("n", 100_000, "rows; 0 removes the table")
	seed := flags.Uint64("seed", 1, "seed of the rows")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *dsn == "" {
		return fmt.Errorf("rows: -dsn is missing")
	}
	conn, err := pgx.Connect(ctx, *dsn)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := fill(ctx, conn, *table, *n, newGenerator(*seed)); err != nil {
		return fmt.Errorf("fill table %q: %w", *table, err)
	}
	_, err = fmt.Fprintf(stdout, "%s: %d rows\n", *table, *n)
	return err
}

// fill makes the table anew. The vacuum in the end keeps the server's own tidying out of the measurement.
func fill(ctx context.Context, conn *pgx.Conn, table string, n int64, g *generator) error {
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
	columns := []string{"id", "title", "body", "price", "stock", "created", "active"}
	if _, err := conn.CopyFrom(ctx, name, columns, pgx.CopyFromFunc(next)); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, "VACUUM (ANALYZE, FREEZE) "+quoted)
	return err
}
