package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
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

// columns are those of the table, in the order of what fills it.
var columns = []string{"id", "title", "body", "price", "stock", "created", "active"}

// rows fills a table of PostgreSQL or MySQL, or a collection of MongoDB: depending on the address.
func rows(ctx context.Context, flags *flag.FlagSet, args []string, stdout io.Writer) error {
	dsn := flags.String("dsn", "", "PostgreSQL, MySQL or MongoDB to fill")
	table := flags.String("table", "items", "table to recreate")
	n := flags.Int64("n", 100_000, "rows; 0 removes the table")
	seed := flags.Uint64("seed", 1, "seed of the rows")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *dsn == "" {
		return fmt.Errorf("rows: -dsn is missing")
	}
	fill := fillMySQL
	switch {
	case strings.HasPrefix(*dsn, "postgres"):
		fill = fillPostgreSQL
	case strings.HasPrefix(*dsn, "mongodb"):
		fill = fillMongoDB
	}
	if err := fill(ctx, *dsn, *table, *n, newGenerator(*seed)); err != nil {
		return fmt.Errorf("fill table %q: %w", *table, err)
	}
	_, err := fmt.Fprintf(stdout, "%s: %d rows\n", *table, *n)
	return err
}
