# PowerShell completion for elastic-ingest

Register-ArgumentCompleter -Native -CommandName 'elastic-ingest' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $elements = @($commandAst.CommandElements)
    $words = @()
    foreach ($element in ($elements | Select-Object -Skip 1)) {
        if ($element.Extent.EndOffset -ge $cursorPosition) { break }
        if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) {
            $words += $element.Value
        } else {
            $words += $element.Extent.Text
        }
    }
    $current = $wordToComplete -replace '^["'']', '' -replace '["'']$', ''
    $program = $elements[0].Extent.Text -replace '^["'']', '' -replace '["'']$', ''

    $lines = @(& $program __complete @words ".$current" 2>$null)
    if ($lines.Count -eq 0) { return }
    if ($lines[0] -eq 'files' -or $lines[0] -eq 'folders') {
        $prefix = ''
        if ($current -match '^--[a-z-]+=') { $prefix = $Matches[0] }
        [System.Management.Automation.CompletionCompleters]::CompleteFilename($current.Substring($prefix.Length)) | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($prefix + $_.CompletionText, $_.ListItemText, $_.ResultType, $_.ToolTip)
        }
        return
    }
    foreach ($line in ($lines | Select-Object -Skip 1)) {
        $value, $text = $line -split "`t", 2
        if (-not $text) { $text = $value }
        $quoted = $value
        if ($value -notmatch '^[A-Za-z0-9_./:=-]+$') { $quoted = "'" + $value.Replace("'", "''") + "'" }
        [System.Management.Automation.CompletionResult]::new($quoted, $value, 'ParameterValue', $text)
    }
}
