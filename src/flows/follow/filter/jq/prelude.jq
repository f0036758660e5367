def _object_key:
  if isstring then . else error("object keys must be strings, and \(.) is not") end;
def _divisor:
  if isnumber and . == 0 then error("cannot divide: the divisor is zero") else . end;

# Conversion
def tostring: if isstring then . else tojson end;
def @text: tostring;
def @json: tojson;
def toarray: if isarray then . else [.] end;
def ascii: [.] | implode;

# Strings
def ltrimstr($x):
  if isstring and ($x | isstring) and startswith($x) then .[($x | length):] else . end;
def rtrimstr($x):
  if isstring and ($x | isstring) and ($x != "") and endswith($x)
  then .[:length - ($x | length)] else . end;
def trimstr($x): ltrimstr($x) | rtrimstr($x);
def join($x):
  reduce .[] as $i (null;
    (if . == null then "" else . + $x end)
    + ($i | if . == null then "" elif isboolean or isnumber then tojson else . end))
  // "";

# Objects
def from_entries:
  reduce .[] as $x ({};
    . + { ($x | if .key == null then .k // .name // .Name // .K // .Key else .key end
             | if isstring then . else tojson end):
          ($x | if has("value") then .value elif has("v") then .v else .Value end) });
def with_entries(f): to_entries | map(f) | from_entries;

# Regular expressions
def scan($re; $flags):
  match($re; "g" + $flags)
  | if (.captures | length) > 0 then [.captures[].string] else .string end;
def scan($re): scan($re; null);
def match($val):
  if $val | isarray then match($val[0]; $val[1]) else match($val; null) end;
def test($val):
  if $val | isarray then test($val[0]; $val[1]) else test($val; null) end;
def capture($val):
  if $val | isarray then capture($val[0]; $val[1]) else capture($val; null) end;
def splits($re): splits($re; null);

# Formats
def @csv: format_csv;
def @tsv: format_tsv;
def @base32: tostring | encode_base32;
def @base32d: tostring | decode_base32;
def @base64d: tostring | decode_base64;
def @sh:
  def quoted:
    if isarray or isobject then error("\(tojson) can not be escaped for shell")
    elif isstring then "'\(escape_sh)'" else tojson end;
  if isarray then [.[] | quoted] | join(" ") else quoted end;
def @html: tostring | escape_html;
def @uri: tostring | encode_uri;
def @base64: tostring | encode_base64;

# Paths and streams
def leaf_paths: paths(scalars);
def recurse_down: recurse;
def tostream:
  path(def r: (.[]? | r), .; r) as $p
  | getpath($p)
  | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
def truncate_stream(stream):
  . as $n | null | stream | . as $input
  | if (.[0] | length) > $n then setpath([0]; .[0][$n:]) else empty end;

# SQL
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row);
def INDEX(f): INDEX(.[]; f);

# Dates
def dateadd(u; n): . + n;
def datesub(u; n): . - n;
def date: todate;

def have_literal_numbers: true;
def have_decnum: true;
