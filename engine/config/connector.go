package config

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/elastic-ingest/elastic-ingest/engine/indexname"
)

// connectors reads the list, or the single connector that older files have at
// the top level.
func (l *loader) connectors(root *object) {
	c := l.config
	objects := root.sections("connectors")
	var id, serviceType string
	idNode := root.text("connector_id", &id)
	typeNode := root.text("service_type", &serviceType)
	switch {
	case len(objects) > 0:
		for _, at := range []*node{idNode, typeNode} {
			if at != nil && at.kind != null {
				l.warn(at.at, "connector_id, service_type", "have no effect at the top level beside connectors")
				break
			}
		}
	case id != "":
		one := Connector{ConnectorID: id, ServiceType: serviceType, Line: idNode.at.line, Guard: defaultGuard(), Extraction: "auto", Profile: "head", Encoding: "exact", origin: l.origin}
		l.checkIdentity(root, &one)
		c.Connectors = []Connector{one}
	case serviceType != "":
		root.fail(typeNode.at, "service_type", "is given without connector_id", "give both, or a list of connectors")
	}
	for _, o := range objects {
		c.Connectors = append(c.Connectors, l.connector(o))
	}
	l.checkUnique(objects)
}

func (l *loader) connector(o *object) Connector {
	c := Connector{Line: o.at.line, Guard: defaultGuard(), Extraction: "auto", Profile: "head", Encoding: "exact"}
	c.origin = &origin{file: l.file, dir: l.dir, env: l.env, places: map[string]place{}}
	o.text("name", &c.Name)
	o.text("connector_id", &c.ConnectorID)
	o.text("service_type", &c.ServiceType)
	l.checkIdentity(o, &c)
	indexNode := o.text("index_name", &c.IndexName)
	switch {
	case c.IndexName != "":
		if problem := indexname.Problem(c.IndexName); problem != "" {
			o.fail(indexNode.at, "index_name", problem, "")
		}
	case c.ConnectorID == "" && c.Name != "":
		o.fail(o.at, "index_name", missing, "name the index to mirror into, such as search-"+suggestion(c.Name))
	}
	l.configuration(o.section("configuration"), &c)
	o.text("pipeline", &c.Pipeline)
	if n := o.choice("extraction", &c.Extraction, "auto", "pipeline", "service", "inline", "off"); c.Extraction == "service" && l.config.Extraction.Host == "" {
		o.fail(n.at, "extraction", "is service, but there is none", "set extraction_service.host")
	}
	o.language("language", &c.Language)
	l.rules(o, &c)
	if n := o.take("advanced_rules"); n != nil {
		c.AdvancedRules, _ = l.value(n, o.key("advanced_rules"), bracesOnly)
		if c.AdvancedRules != nil {
			o.note("advanced_rules", "given", n)
		}
	}
	l.idColumns(o.section("id_columns"), &c)
	o.filePath("mappings", &c.Mappings)
	l.schedule(o, &c)
	g := o.section("guard")
	g.integer("max_deletes", &c.Guard.MaxDeletes, 0, 1<<31-1)
	g.number("max_percent", &c.Guard.MaxPercent, 0, 100)
	g.done()
	if at := o.flag("adopt", &c.Adopt); c.Adopt && c.ConnectorID == "" {
		o.fail(at.at, "adopt", "is only for connectors of Elasticsearch", "take the index over once with sync --adopt")
	}
	o.choice("profile", &c.Profile, "head", "seed87", "native")
	o.choice("encoding", &c.Encoding, "exact", "compat")
	c.APIKey, _ = o.secret("api_key")
	o.done()
	return c
}

// suggestion makes the end of an index name from a connector's name.
func suggestion(name string) string {
	return strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return '-'
	}, name)
}

// checkIdentity checks the names and the type of a connector.
func (l *loader) checkIdentity(o *object, c *Connector) {
	switch {
	case c.Name == "" && c.ConnectorID == "":
		o.fail(o.at, "name", missing, "give a name, or the connector_id of a connector of Elasticsearch")
	case c.ConnectorID == "" && c.ServiceType == "":
		o.fail(o.at, "service_type", missing, "name the kind of source, such as postgresql or dir")
	}
	for key, value := range map[string]string{"name": c.Name, "connector_id": c.ConnectorID, "service_type": c.ServiceType} {
		switch {
		case strings.HasPrefix(value, "-"):
			o.fail(o.at, key, "begins with -", "the command line would take it for a flag")
		case value != strings.TrimSpace(value) || strings.ContainsFunc(value, unicode.IsControl):
			o.fail(o.at, key, "begins or ends with a blank, or contains control characters", "")
		case value == "changeme":
			o.fail(o.at, key, "still has its placeholder value", "replace changeme")
		}
	}
}

// checkUnique reports names that two connectors share, and indices that two
// connectors would mirror into: each would delete the documents of the other.
func (l *loader) checkUnique(objects []*object) {
	names, indices := map[string]int{}, map[string]int{}
	for i, o := range objects {
		c := &l.config.Connectors[i]
		for key, value := range map[string]string{"name": c.Name, "connector_id": c.ConnectorID} {
			if other, taken := names[value]; taken && other != i {
				o.fail(o.at, key, "is the same as that of "+objects[other].path+" in "+objects[other].at.String(), "give each connector its own")
			} else if value != "" {
				names[value] = i
			}
		}
		if other, taken := indices[c.IndexName]; taken {
			o.fail(o.at, "index_name", "is the index of "+objects[other].path+" in "+objects[other].at.String()+" too", "give each connector its own index; one would delete the documents of the other")
		} else if c.IndexName != "" {
			indices[c.IndexName] = i
		}
	}
}

// jobTypes are the kinds of sync jobs that can have a schedule.
func jobTypes() []string { return []string{"full", "incremental", "access_control"} }

// schedule reads a section of job types, or one text for full syncs.
func (l *loader) schedule(o *object, c *Connector) {
	shape := o.describe(Key{Name: "schedule", Kind: Section, OrText: true})
	n := o.take("schedule")
	if shape != nil {
		n = &node{kind: section}
	}
	if n == nil || n.kind == null {
		return
	}
	times := o
	names := []string{"schedule"}
	if n.kind == section {
		times, names = l.object(o.key("schedule"), n), jobTypes()
		times.shape = shape
	}
	for i, name := range names {
		expression, at, ok := times.scalar(name, "a cron expression")
		switch {
		case !ok:
			continue
		case strings.TrimSpace(expression) == "":
			times.fail(at.at, name, "is empty", `write a Quartz cron expression, such as "0 0 2 * * ?", or remove the key`)
			continue
		case c.Schedule == nil:
			c.Schedule = map[string]string{}
		}
		c.Schedule[jobTypes()[i]] = strings.TrimSpace(expression)
		times.note(name, c.Schedule[jobTypes()[i]], at)
	}
	if n.kind == section {
		times.done()
	}
}

func (l *loader) rules(o *object, c *Connector) {
	for i, r := range o.sections("rules") {
		rule := Rule{ID: fmt.Sprintf("rule-%d", i+1), Order: float64(i + 1)}
		r.text("id", &rule.ID)
		r.choice("policy", &rule.Policy, "include", "exclude")
		r.text("field", &rule.Field)
		r.choice("rule", &rule.Rule, "equals", "starts_with", "ends_with", "contains", "regex", "<", ">")
		r.text("value", &rule.Value)
		r.number("order", &rule.Order, -1e9, 1e9)
		r.ignore("created_at", "updated_at")
		r.done()
		for _, needed := range [][2]string{{"policy", rule.Policy}, {"field", rule.Field}, {"rule", rule.Rule}, {"value", rule.Value}} {
			if needed[1] == "" && !l.failed(r.key(needed[0])) {
				r.fail(r.at, needed[0], missing, "a rule has policy, field, rule and value")
			}
		}
		c.Rules = append(c.Rules, rule)
	}
}

// failed reports whether something is already known to be wrong with a key.
func (l *loader) failed(key string) bool {
	for _, e := range l.errs {
		if e.Key == key {
			return true
		}
	}
	return false
}

func (l *loader) idColumns(o *object, c *Connector) {
	o.free(Words)
	for _, e := range o.pairs() {
		columns, ok := l.words(e.value, o.key(e.key))
		switch {
		case !ok:
			continue
		case len(columns) == 0:
			o.fail(e.at, e.key, "names no column", "list the columns that together identify a row")
			continue
		case c.IDColumns == nil:
			c.IDColumns = map[string][]string{}
		}
		c.IDColumns[e.key] = columns
		o.note(e.key, strings.Join(columns, ", "), e.value)
	}
}

// UnnamedConnector is a connector of Elasticsearch without an entry in the configuration, with all
// defaults.
func UnnamedConnector(id string) Connector {
	return Connector{ConnectorID: id, Guard: defaultGuard(), Extraction: "auto", Profile: "head", Encoding: "exact"}
}
