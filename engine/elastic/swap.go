package elastic

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// ForLoading is c with settings that make the first load of a new index cheaper; [Client.Finish] ends them. A server
// that refuses them, as Serverless does, creates the index without.
func (c Creation) ForLoading() Creation {
	loading := Creation{settings: map[string]any{"number_of_replicas": 0, "refresh_interval": "-1"}}
	out := loading.Over(c, nil)
	out.optional = append(slices.Clone(c.optional), slices.Sorted(maps.Keys(loading.settings))...)
	return out
}

// Finish gives a new index, which was created for loading, the replicas and the refresh interval of another one.
func (c *Client) Finish(ctx context.Context, index string, like *Index) error {
	var refresh any // null is the default
	if like.refresh != "" {
		refresh = like.refresh
	}
	settings := map[string]any{"refresh_interval": refresh}
	if like.replicas != "" { // Serverless has none
		settings["number_of_replicas"] = like.replicas
	}
	r := esapi.IndicesPutSettingsRequest{Index: []string{url.PathEscape(index)}, Body: asJSON(map[string]any{"index": settings})}
	return c.call(ctx, fmt.Sprintf("change the settings of index %q", index), r, nil)
}

// Swap lets a name stand for the index to, in one step. If the name is an alias of the index from, the alias moves;
// if it is from itself, from is deleted and the alias takes its name.
func (c *Client) Swap(ctx context.Context, name string, from, to *Index) error {
	leave := map[string]any{"remove": map[string]any{"index": from.Name, "alias": name, "must_exist": true}}
	if from.Name == name {
		leave = map[string]any{"remove_index": map[string]any{"index": from.Name}}
	}
	add := map[string]any{"index": to.Name, "alias": name, "is_write_index": true}
	r := esapi.IndicesUpdateAliasesRequest{Body: asJSON(map[string]any{"actions": []any{leave, map[string]any{"add": add}}})}
	return c.call(ctx, fmt.Sprintf("let %q stand for index %q", name, to.Name), r, nil)
}

// DeleteIndex deletes an index and its documents.
func (c *Client) DeleteIndex(ctx context.Context, name string) error {
	r := esapi.IndicesDeleteRequest{Index: []string{url.PathEscape(name)}}
	return c.call(ctx, fmt.Sprintf("delete index %q", name), r, nil)
}
