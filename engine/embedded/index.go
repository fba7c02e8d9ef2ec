package embedded

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	nodeName = "embedded"
	// version is the Elasticsearch version whose responses this package gives.
	version = "9.5.3"
	// indexVersion is the index version of that Elasticsearch.
	indexVersion = "9111000"
)

// index is one index. Everything but the counters is replaced, never changed, so a copy of the
// pointer may be read without a lock; counters are guarded by Server.writing.
type index struct {
	name     string
	number   uint32
	uuid     string
	created  int64 // milliseconds
	settings map[string]any
	mapping  *mapping
	aliases  []string // sorted; each refers only to this index
	counters
}

// storedIndex is the form in the store.
type storedIndex struct {
	Number   uint32          `json:"number"`
	UUID     string          `json:"uuid"`
	Created  int64           `json:"created"`
	Settings map[string]any  `json:"settings"`
	Mapping  json.RawMessage `json:"mapping"`
	Aliases  []string        `json:"aliases,omitempty"`
	// Checked means that documents are checked against the mapping and add to it, and that each records
	// its fields that were not indexed. Indices of earlier versions are not checked.
	Checked bool `json:"checked,omitempty"`
}

func (ix *index) encode() []byte {
	return mustMarshal(storedIndex{ix.number, ix.uuid, ix.created, ix.settings, mustMarshal(ix.mapping.root), ix.aliases, ix.mapping.shape != nil})
}

func decodeIndex(name string, b []byte) (*index, error) {
	var in storedIndex
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, fmt.Errorf("index %q: %w", name, err)
	}
	m, err := parseMapping(in.Mapping)
	if err != nil {
		return nil, fmt.Errorf("index %q: %w", name, err)
	}
	if in.Checked {
		if err := m.derive(in.Settings); err != nil {
			return nil, fmt.Errorf("index %q: %w", name, err)
		}
	}
	return &index{
		name: name, number: in.Number, uuid: in.UUID, created: in.Created, settings: in.Settings, mapping: m, aliases: in.Aliases,
	}, nil
}

// setting returns a numeric setting, or def.
func (ix *index) setting(name string, def int) int { return settingNumber(ix.settings, name, def) }

func settingNumber(settings map[string]any, name string, def int) int {
	text, ok := settings[name].(string)
	if !ok {
		return def
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return def
	}
	return n
}

func (ix *index) shards() int { return ix.setting("number_of_shards", 1) }

// copies is how many shards a write would go to: the primary and its replicas.
func (ix *index) copies() int { return 1 + ix.setting("number_of_replicas", 1) }

// find returns an index by its name or an alias.
func (s *Server) find(name string) (*index, error) {
	if strings.ContainsAny(name, "*,") || name == "_all" {
		return nil, unknown("the index expression [%s] names more than one index", name)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if ix := s.indices[name]; ix != nil {
		return ix, nil
	}
	for _, ix := range s.indices { // there are few, and fewer aliases
		if slices.Contains(ix.aliases, name) {
			return ix, nil
		}
	}
	return nil, indexNotFound(name)
}

// checkName refuses index names that Elasticsearch refuses.
func checkName(name string) *apiError {
	problem := ""
	switch {
	case name == "." || name == "..":
		problem = "must not be '.' or '..'"
	case strings.ContainsAny(name, "\\/*?\"<>| ,"):
		problem = "must not contain the following characters ['\\','/','*','?','\"','<','>','|',' ',',']"
	case strings.ContainsAny(name, "#:"):
		problem = "must not contain '#' or ':'"
	case name == "" || strings.ContainsAny(name[:1], "_-+"):
		problem = "must not start with '_', '-', or '+'"
	case len(name) > 255:
		problem = "index name is too long, (" + strconv.Itoa(len(name)) + " > 255)"
	case strings.ToLower(name) != name || !utf8.ValidString(name):
		problem = "must be lowercase"
	}
	if problem == "" {
		return nil
	}
	e := fail(http.StatusBadRequest, "invalid_index_name_exception", "Invalid index name [%s], %s", name, problem)
	e.cause.IndexUUID, e.cause.Index = "_na_", name
	return e
}

// create creates an index; the caller holds writing.
func (s *Server) create(name string, settings map[string]any, m *mapping, aliases []string) (*index, error) {
	if e := checkName(name); e != nil {
		return nil, e
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.indices {
		if slices.Contains(other.aliases, name) {
			return nil, fail(http.StatusBadRequest, "invalid_index_name_exception", "Invalid index name [%s], already exists as alias", name)
		}
	}
	for _, alias := range aliases {
		if e := s.checkAlias(alias); e != nil {
			return nil, e
		}
	}
	if old := s.indices[name]; old != nil {
		e := fail(http.StatusBadRequest, "resource_already_exists_exception", "index [%s/%s] already exists", name, old.uuid)
		e.cause.IndexUUID, e.cause.Index = old.uuid, name
		return nil, e
	}
	if s.number == math.MaxUint32 {
		return nil, storeFailed(fmt.Errorf("too many indices"))
	}
	ix := &index{
		name: name, number: s.number + 1, uuid: randomID(), created: s.now().UnixMilli(),
		settings: settings, mapping: m, aliases: aliases,
	}
	b := s.store.batch()
	b.set([]byte{spaceFormat}, []byte(layoutFormat)) // the folder may be an older one
	b.set(indexKey(name), ix.encode())
	b.set(counterKey(ix.number), ix.counters.encode())
	if err := s.store.commit(b, true); err != nil {
		return nil, storeFailed(err)
	}
	s.indices[name], s.number, s.dirty = ix, ix.number, true
	return ix, nil
}

// checkAlias refuses an alias that is taken; mu is held. Elasticsearch would let it refer to several
// indices, which is not needed here.
func (s *Server) checkAlias(alias string) error {
	if e := checkName(alias); e != nil {
		return e
	}
	for name, ix := range s.indices {
		if name == alias || slices.Contains(ix.aliases, alias) {
			return unknown("the alias [%s], whose name is taken", alias)
		}
	}
	return nil
}

// parseAliases reads the aliases of a new index; aliases with options are refused.
func parseAliases(body json.RawMessage) ([]string, error) {
	var in map[string]json.RawMessage
	if err := unmarshal(body, &in); err != nil {
		return nil, parsingError("[aliases] is not an object")
	}
	for name, options := range in {
		if string(options) != "{}" {
			return nil, unknown("options of the alias [%s]", name)
		}
	}
	return slices.Sorted(maps.Keys(in)), nil
}

// randomID is 22 letters of base64, as the uuids of indices are.
func randomID() string {
	b := binary.LittleEndian.AppendUint64(nil, rand.Uint64())
	b = binary.LittleEndian.AppendUint64(b, rand.Uint64())
	return base64.RawURLEncoding.EncodeToString(b)
}

func (s *Server) createIndex(r *request) (*answer, error) {
	settings, m := map[string]any{}, emptyMapping()
	var aliases []string
	if len(r.body) > 0 {
		body, err := parseObject(r.body)
		if err != nil {
			return nil, err
		}
		for key, value := range body {
			var err error
			switch key {
			case "settings":
				settings, err = parseSettings(value)
			case "mappings":
				m, err = parseMapping(value)
			case "aliases":
				aliases, err = parseAliases(value)
			default:
				err = fail(http.StatusBadRequest, "parse_exception", "unknown key [%s] for create index", key)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	if m.shaped() {
		if err := m.derive(settings); err != nil {
			return nil, err
		}
		if err := m.shape.checkLimits(); err != nil {
			return nil, err
		}
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if _, err := s.create(r.index, settings, m, aliases); err != nil {
		return nil, err
	}
	return ok(map[string]any{"acknowledged": true, "shards_acknowledged": true, "index": r.index}), nil
}

func (s *Server) deleteIndex(r *request) (*answer, error) {
	if strings.Contains(r.index, "*") || r.index == "_all" {
		return nil, illegal("Wildcard expressions or all indices are not allowed")
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	ix, err := s.find(r.index)
	if err != nil {
		return nil, err
	}
	if ix.name != r.index {
		return nil, illegal("The provided expression [%s] matches an alias, specify the corresponding concrete indices instead.", r.index)
	}
	b := s.store.batch()
	b.delete(indexKey(ix.name))
	b.delete(counterKey(ix.number))
	for _, space := range []byte{spaceID, spaceDoc} {
		from := binary.BigEndian.AppendUint32([]byte{space}, ix.number)
		b.deleteRange(from, binary.BigEndian.AppendUint32([]byte{space}, ix.number+1))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.store.commit(b, true); err != nil {
		return nil, storeFailed(err)
	}
	delete(s.indices, ix.name)
	s.dirty = true
	return ok(map[string]any{"acknowledged": true}), nil
}

func (s *Server) getIndex(r *request) (*answer, error) {
	ix, err := s.find(r.index)
	if err != nil {
		return nil, err
	}
	aliases := map[string]any{}
	for _, alias := range ix.aliases {
		aliases[alias] = map[string]any{}
	}
	return ok(map[string]any{ix.name: map[string]any{
		"aliases":  aliases,
		"mappings": ix.mapping.root,
		"settings": map[string]any{"index": ix.allSettings()},
	}}), nil
}

// allSettings are the given settings and those that every index has, nested.
func (ix *index) allSettings() map[string]any {
	flat := map[string]any{
		"number_of_shards": "1", "number_of_replicas": "1", "provided_name": ix.name, "uuid": ix.uuid,
		"creation_date": strconv.FormatInt(ix.created, 10), "version.created": indexVersion,
		"routing.allocation.include._tier_preference": "data_content",
	}
	maps.Copy(flat, ix.settings)
	out := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(flat)) {
		at := out
		parts := strings.Split(key, ".")
		for _, part := range parts[:len(parts)-1] {
			next, ok := at[part].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[part] = next
			}
			at = next
		}
		at[parts[len(parts)-1]] = flat[key]
	}
	return out
}

// parseSettings flattens settings to names without "index." and texts, as Elasticsearch shows them.
func parseSettings(body json.RawMessage) (map[string]any, error) {
	var in map[string]any
	if err := unmarshal(body, &in); err != nil {
		return nil, illegal("the settings are not an object")
	}
	out := map[string]any{}
	if err := flatten(out, "", in); err != nil {
		return nil, err
	}
	return out, nil
}

func flatten(out map[string]any, prefix string, in map[string]any) error {
	for key, value := range in {
		name := strings.TrimPrefix(prefix+key, "index.")
		switch value := value.(type) {
		case map[string]any:
			if err := flatten(out, prefix+key+".", value); err != nil {
				return err
			}
			continue
		case []any:
			texts := make([]any, len(value))
			for i, v := range value {
				texts[i] = fmt.Sprint(v)
			}
			out[name] = texts
		default:
			out[name] = fmt.Sprint(value)
		}
		if !knownSetting(name) {
			return unknown("the index setting [index.%s]", name)
		}
		if err := checkSetting(name, out[name]); err != nil {
			return err
		}
	}
	return nil
}

// knownSetting lists the accepted settings: those with an effect, and those that change no stored or found document.
func knownSetting(name string) bool {
	switch name {
	case "number_of_shards", "number_of_replicas", "auto_expand_replicas", "hidden", "refresh_interval", "max_result_window", "codec",
		"mapping.ignore_malformed", "mapping.total_fields.limit", "mapping.total_fields.ignore_dynamic_beyond_limit", "mapping.depth.limit",
		"mapping.nested_fields.limit", "mapping.nested_objects.limit", "mapping.nested_parents.limit",
		"mapping.exclude_source_vectors": // there are no vectors
		return true
	}
	return strings.HasPrefix(name, "analysis.")
}

// checkSetting refuses invalid values of mapping settings.
func checkSetting(name string, value any) error {
	text, _ := value.(string)
	switch name {
	case "mapping.ignore_malformed", "mapping.total_fields.ignore_dynamic_beyond_limit", "mapping.exclude_source_vectors":
		if text != "true" && text != "false" {
			return illegal("Failed to parse value [%s] as only [true] or [false] are allowed.", text)
		}
	case "mapping.total_fields.limit", "mapping.depth.limit":
		n, err := strconv.Atoi(text)
		if err != nil {
			return illegal("Failed to parse value [%s] for setting [index.%s]", text, name)
		}
		if name == "mapping.depth.limit" && n < 1 || n < 0 {
			return illegal("Failed to parse value [%s] for setting [index.%s] must be >= 1", text, name)
		}
	}
	return nil
}

func (s *Server) getSettings(r *request) (*answer, error) {
	ix, err := s.find(r.index)
	if err != nil {
		return nil, err
	}
	return ok(map[string]any{ix.name: map[string]any{"settings": map[string]any{"index": ix.allSettings()}}}), nil
}

func (s *Server) resolveIndex(r *request) (*answer, error) {
	if strings.Contains(r.index, ",") {
		return nil, unknown("a list of names in _resolve/index")
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := []map[string]any{}
	wildcard := strings.Contains(r.index, "*") || r.index == "_all"
	for _, name := range slices.Sorted(maps.Keys(s.indices)) {
		ix := s.indices[name]
		hidden := ix.settings["hidden"] == "true"
		if name != r.index && (!wildcard || r.index != "_all" && !glob(r.index, name) || hidden && !showHidden(r, name)) {
			continue
		}
		attributes := []string{"open"}
		if hidden {
			attributes = []string{"hidden", "open"}
		}
		found = append(found, map[string]any{"name": name, "attributes": attributes, "mode": "standard"})
	}
	if len(found) == 0 && !wildcard {
		return nil, indexNotFound(r.index)
	}
	return ok(map[string]any{"indices": found, "aliases": []any{}, "data_streams": []any{}}), nil
}

// showHidden reports whether a pattern finds a hidden index: if requested, or if both start with a dot.
func showHidden(r *request, name string) bool {
	expand := r.query.Get("expand_wildcards")
	return strings.Contains(expand, "hidden") || strings.Contains(expand, "all") ||
		strings.HasPrefix(r.index, ".") && strings.HasPrefix(name, ".")
}

// glob matches a pattern in which * is any text.
func glob(pattern, s string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	if !strings.HasPrefix(s, first) {
		return false
	}
	for s = s[len(first):]; ; s = s[1:] {
		if glob(rest, s) {
			return true
		}
		if s == "" {
			return false
		}
	}
}
