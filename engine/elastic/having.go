package elastic

import (
	"context"
	"fmt"
	"net/url"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

type havingAnswer struct {
	Shards *shards `json:"_shards"`
	Hits   struct {
		Total *struct {
			Value int64 `json:"value"`
		} `json:"total"`
		Hits []struct {
			ID string `json:"_id"`
		} `json:"hits"`
	} `json:"hits"`
}

func (a *havingAnswer) check() error {
	if err := lacks("_shards and hits.total", a.Shards != nil && a.Hits.Total != nil); err != nil {
		return err
	}
	return a.Shards.check()
}

// Having counts the documents of an index that have an indexed field, and names at most some of them.
func (c *Client) Having(ctx context.Context, index, field string, most int) (total int64, ids []string, err error) {
	body := map[string]any{
		"size": most, "track_total_hits": true, "_source": false, "sort": []string{"_doc"},
		"query": map[string]any{"exists": map[string]any{"field": field}},
	}
	var answer havingAnswer
	partial := false
	r := esapi.SearchRequest{Index: []string{url.PathEscape(index)}, Body: asJSON(body), AllowPartialSearchResults: &partial}
	if err := c.call(ctx, fmt.Sprintf("search documents of %q with %s", index, field), r, &answer); err != nil {
		return 0, nil, err
	}
	for _, h := range answer.Hits.Hits {
		ids = append(ids, h.ID)
	}
	return answer.Hits.Total.Value, ids, nil
}
