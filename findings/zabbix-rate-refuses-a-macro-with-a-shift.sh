#!/usr/bin/env bash
# The trigger expressions rate(/host/key,{$W}:now-2h) and count(/host/key,{$W}:now-2h) in Zabbix 7.0: the period is a user
# macro, and is shifted.
#
# Guessed: user macros may stand for the periods of functions, so both are accepted.
# Seen: the frontend and its API accept count, and min, max, sum, monoinc and others, but refuse rate and first with
# "invalid second parameter". Both accept the macro without a shift, and a macro in the shift alone (6h:now-{$S}). The
# check of their parameters (PERIOD_MODE_SEC in CHistFunctionValidator) leaves out the case of a macro, and a check before
# it lets a macro pass only where there is no shift.
#
# Version: Debian's zabbix-frontend-php 1:7.0.29+dfsg-2. Needs PHP 8 with bcmath and mbstring (php-cli, php-bcmath,
# php-mbstring).
. "$(dirname "$0")/lib.sh"
php -r 'exit(extension_loaded("bcmath") && extension_loaded("mbstring") ? 0 : 1);' ||
    untried 'PHP: install php-cli, php-bcmath and php-mbstring'
debian sid zabbix-frontend-php=1:7.0.29+dfsg-2

# The classes by which the API checks an expression, without its database.
cat >"$work/check.php" <<'P'
<?php
chdir($argv[1]);
foreach (new RecursiveIteratorIterator(new RecursiveDirectoryIterator('include/classes')) as $file) {
    $classes[$file->getBasename('.php')] = $file->getRealPath();
}
spl_autoload_register(fn ($class) => isset($classes[$class]) && require_once $classes[$class]);
if (!function_exists('_')) {
    function _($text) { return $text; }
}
function _s($text, ...$values) { return $text; }
function _params($text, $values) { return strtr($text, ['%1$s' => $values[0]]); }
require 'include/defines.inc.php';
require 'include/func.inc.php';

while ($expression = rtrim((string) fgets(STDIN))) {
    $parser = new CExpressionParser(['usermacros' => true]);
    $parser->parse("$expression>0") == CParser::PARSE_SUCCESS || exit(1);
    $validator = new CExpressionValidator(['usermacros' => true]);
    $valid = $validator->validate($parser->getResult()->getTokens());
    echo $expression, ': ', $valid ? 'accepted' : $validator->getError(), "\n";
}
P
check() { php "$work/check.php" "$work/sid/usr/share/zabbix"; }

expect "a macro as period, and a shift" \
    'count(/h/k,{$W}:now-2h): accepted
min(/h/k,{$W}:now-2h): accepted
monoinc(/h/k,{$W}:now-2h): accepted
rate(/h/k,{$W}:now-2h): invalid second parameter in function "rate"
first(/h/k,{$W}:now-2h): invalid second parameter in function "first"' \
    "$(printf '%s(/h/k,{$W}:now-2h)\n' count min monoinc rate first | check)"
expect "a macro as period, or as shift" \
    'rate(/h/k,{$W}): accepted
rate(/h/k,6h:now-{$S}): accepted' \
    "$(printf '%s\n' 'rate(/h/k,{$W})' 'rate(/h/k,6h:now-{$S})' | check)"
