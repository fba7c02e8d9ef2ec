package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"
)

// fillMongoDB recreates the collection in the database of the address.
func fillMongoDB(ctx context.Context, uri, collection string, n int64, g *generator) (err error) {
	address, err := connstring.ParseAndValidate(uri)
	if err != nil {
		return err
	}
	if address.Database == "" {
		return errors.New("the address has no database")
	}
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Disconnect(context.WithoutCancel(ctx))) }()
	c := client.Database(address.Database).Collection(collection)
	if err := c.Drop(ctx); err != nil || n == 0 {
		return err
	}
	for id := int64(1); id <= n; id += rowsPerInsert {
		var docs []any
		for i := id; i < min(n+1, id+rowsPerInsert); i++ {
			r := g.row(i)
			price, err := bson.ParseDecimal128(cents(r.cents))
			if err != nil {
				return err
			}
			docs = append(docs, bson.D{
				{Key: "_id", Value: r.id},
				{Key: "title", Value: r.title},
				{Key: "body", Value: r.body},
				{Key: "price", Value: price},
				{Key: "stock", Value: r.stock},
				{Key: "created", Value: r.created},
				{Key: "active", Value: r.active},
			})
		}
		if _, err := c.InsertMany(ctx, docs); err != nil {
			return err
		}
	}
	return nil
}

// cents writes hundredths as a decimal.
func cents(n int64) string {
	digits := strconv.FormatInt(n, 10)
	if len(digits) < 3 {
		digits = strings.Repeat("0", 3-len(digits)) + digits
	}
	return digits[:len(digits)-2] + "." + digits[len(digits)-2:]
}
