// Package analysis is the text analysis of an index that this program creates for a language: the
// analyzers, and the mapping that gives each text field a sub-field for each way to search it.
//
// The names and definitions are those of indices of Elastic's connectors 8.x, so that
// queries, and Kibana, find what they expect. It knows no index and sends nothing. Its invariant:
// each call returns a new result, which the caller may change.
package analysis

import "slices"

// language holds the differences between languages.
type language struct {
	code, stemmer, stopWords string
	elision                  elision
	cjk                      bool // written without blanks: pairs of characters are searched
}

// elision is the short words to remove before an apostrophe.
type elision struct {
	articles   []string
	ignoreCase bool
}

func languages() []language {
	french := elision{[]string{"l", "m", "t", "qu", "n", "s", "j", "d", "c", "jusqu", "quoiqu", "lorsqu", "puisqu"}, true}
	italian := elision{articles: []string{
		"c", "l", "all", "dall", "dell", "nell", "sull", "coll", "pell", "gl", "agl", "dagl", "degl", "negl", "sugl",
		"un", "m", "t", "s", "v", "d",
	}}
	return []language{
		{code: "da", stemmer: "danish", stopWords: "_danish_"},
		{code: "de", stemmer: "light_german", stopWords: "_german_"},
		{code: "en", stemmer: "light_english", stopWords: "_english_"},
		{code: "es", stemmer: "light_spanish", stopWords: "_spanish_"},
		{code: "fr", stemmer: "light_french", stopWords: "_french_", elision: french},
		{code: "it", stemmer: "light_italian", stopWords: "_italian_", elision: italian},
		{code: "ja", stemmer: "light_english", stopWords: "_english_", cjk: true},
		{code: "ko", stemmer: "light_english", stopWords: "_english_", cjk: true},
		{code: "nl", stemmer: "dutch", stopWords: "_dutch_"},
		{code: "pt", stemmer: "light_portuguese", stopWords: "_portuguese_"},
		{code: "pt-br", stemmer: "brazilian", stopWords: "_brazilian_"},
		{code: "ru", stemmer: "russian", stopWords: "_russian_"},
		{code: "th", stemmer: "light_english", stopWords: "_thai_"},
		{code: "zh", stemmer: "light_english", stopWords: "_english_", cjk: true},
	}
}

// Languages are the codes that [Of] knows, sorted.
func Languages() []string {
	var codes []string
	for _, l := range languages() {
		codes = append(codes, l.code)
	}
	return codes
}

// Of returns the settings and the mapping of a new index for a language; ok is false for a code that
// is not among [Languages]. With icu the plugin analysis-icu splits and folds the text;
// every node must have it.
func Of(code string, icu bool) (settings, mappings map[string]any, ok bool) {
	all := languages()
	at := slices.IndexFunc(all, func(l language) bool { return l.code == code })
	if at < 0 {
		return nil, nil, false
	}
	l := &all[at]
	return map[string]any{"analysis": map[string]any{"analyzer": l.analyzers(icu), "filter": l.filters()}}, mapping(), true
}

func (l *language) stem() string { return l.code + "-stem-filter" }
func (l *language) stop() string { return l.code + "-stop-words-filter" }

// before and after surround the filters that all languages share.
func (l *language) before() []string {
	if l.elision.articles == nil {
		return nil
	}
	return []string{l.code + "-elision"}
}

func (l *language) after() []string {
	if !l.cjk {
		return nil
	}
	return []string{"cjk_bigram"}
}

func (l *language) analyzers(icu bool) map[string]any {
	tokenizer, fold := "standard", []string{"cjk_width", "lowercase", "asciifolding"}
	if icu {
		tokenizer, fold = "icu_tokenizer", []string{"icu_folding"}
	}
	custom := func(tokenizer string, filters ...[]string) map[string]any {
		return map[string]any{"type": "custom", "tokenizer": tokenizer, "filter": slices.Concat(filters...)}
	}
	words := func(names ...string) []string { return names }
	return map[string]any{
		"i_prefix":          custom(tokenizer, fold, words("front_ngram")),
		"q_prefix":          custom(tokenizer, fold),
		"iq_text_base":      custom(tokenizer, fold, words(l.stop())),
		"iq_text_stem":      custom(tokenizer, l.before(), fold, words(l.stop(), l.stem()), l.after()),
		"iq_text_delimiter": custom("whitespace", l.before(), words("delimiter"), fold, words(l.stop(), l.stem()), l.after()),
		"i_text_bigram":     custom(tokenizer, fold, words(l.stem(), "bigram_joiner", "bigram_max_size")),
		"q_text_bigram":     custom(tokenizer, fold, words(l.stem(), "bigram_joiner_unigrams", "bigram_max_size")),
	}
}

func (l *language) filters() map[string]any {
	joiner := func(unigrams bool) map[string]any {
		return map[string]any{"type": "shingle", "token_separator": "", "max_shingle_size": 2, "output_unigrams": unigrams}
	}
	out := map[string]any{
		"front_ngram": map[string]any{"type": "edge_ngram", "min_gram": 1, "max_gram": 12},
		"delimiter": map[string]any{
			"type": "word_delimiter_graph", "generate_word_parts": true, "generate_number_parts": true,
			"catenate_words": true, "catenate_numbers": true, "catenate_all": true,
			"split_on_case_change": true, "split_on_numerics": true, "stem_english_possessive": true,
			"preserve_original": false,
		},
		"bigram_joiner":          joiner(false),
		"bigram_joiner_unigrams": joiner(true),
		"bigram_max_size":        map[string]any{"type": "length", "min": 0, "max": 16},
		l.stem():                 map[string]any{"type": "stemmer", "language": l.stemmer},
		l.stop():                 map[string]any{"type": "stop", "stopwords": l.stopWords},
	}
	for _, name := range l.before() {
		out[name] = map[string]any{"type": "elision", "articles": l.elision.articles, "articles_case": l.elision.ignoreCase}
	}
	return out
}

// mapping gives every text field of a document its sub-fields.
func mapping() map[string]any {
	text := func(options, index, search string) map[string]any {
		field := map[string]any{"type": "text", "index_options": options, "analyzer": index}
		if search != "" {
			field["search_analyzer"] = search
		}
		return field
	}
	field := text("freqs", "iq_text_base", "")
	field["fields"] = map[string]any{
		"stem":      text("freqs", "iq_text_stem", ""),
		"prefix":    text("docs", "i_prefix", "q_prefix"),
		"delimiter": text("freqs", "iq_text_delimiter", ""),
		"joined":    text("freqs", "i_text_bigram", "q_text_bigram"),
		"enum":      map[string]any{"type": "keyword", "ignore_above": 2048},
	}
	return map[string]any{
		"dynamic":           true,
		"dynamic_templates": []any{map[string]any{"data": map[string]any{"match_mapping_type": "string", "mapping": field}}},
		"properties": map[string]any{
			"_subextracted_as_of":   map[string]any{"type": "date"},
			"_subextracted_version": map[string]any{"type": "keyword"},
		},
	}
}
