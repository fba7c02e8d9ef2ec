# fish completion for elastic-ingest

function __elastic_ingest_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct | string unescape)
    set -l lines ($words[1] __complete $words[2..-1] .$current 2>/dev/null)
    switch "$lines[1]"
        case files folders
            set -l prefix (string match -r -- '^--[a-z-]+=' "$current")
            set -l path (string replace -r -- '^--[a-z-]+=' '' "$current")
            for file in (complete -C "'' $path" | string replace -r '\t.*' '')
                if test $lines[1] = files; or test -d $file
                    printf '%s%s\n' "$prefix" $file
                end
            end
        case '*'
            test (count $lines) -gt 1; and printf '%s\n' $lines[2..-1]
    end
end

complete -c elastic-ingest -f -a '(__elastic_ingest_complete)'
