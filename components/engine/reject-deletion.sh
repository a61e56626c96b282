#!/bin/sh
# Fails when Pulumi deletes a server whose volumes are protected, so that all its parts stay. Passes when Pulumi leaves the
# volumes out, or is to ignore their protection. A command does not get the options of Pulumi, so they are read from its
# command line: that of the nearest process above this one that is called pulumi.
# WHEN: `always`, or `destroy` to pass while Pulumi updates. REASON, FIX: the message.
pid=$$ words=
while [ "$pid" -gt 1 ]; do
  pid=$(sed -E 's/^.*\) . ([0-9]+) .*$/\1/' "/proc/$pid/stat") || break
  case $(tr '\0' '\n' < "/proc/$pid/cmdline" | head -n 1) in
    pulumi | */pulumi)
      words=" $(tr '\0' ' ' < "/proc/$pid/cmdline")"
      break
      ;;
  esac
done
[ "${PULUMI_OPTION_EXCLUDE_PROTECTED:-}" != true ] || words=" --exclude-protected $words"
[ "${PULUMI_OPTION_IGNORE_PROTECT:-}" != true ] || words=" --ignore-protect $words"
case $WHEN$words in
  destroy*" up "* | destroy*" update "*) exit 0 ;;
esac
case $words in
  *" --exclude-protected "* | *" --exclude-protected=true "*) exit 0 ;;
  *" --ignore-protect "* | *" --ignore-protect=true "*) exit 0 ;;
  *" --exclude"[\ =]*index/volume* | *" -x"*index/volume*) exit 0 ;;
  *" --target"[\ =]*index/volume* | *" -t"*index/volume*) ;;
  *" --target"[\ =]* | *" -t "*) exit 0 ;;
esac
printf '%s\n' "$REASON" "$FIX" >&2
exit 1
