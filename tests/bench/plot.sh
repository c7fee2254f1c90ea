#!/bin/sh
# plot.sh GROWTH.TSV DIR: the curves of growth.sh as small SVGs in DIR. Needs gnuplot (Debian: gnuplot-nox). What should stay
# flat is drawn from zero, so that it cannot look flatter or steeper than it is; what may grow has a logarithmic axis.
set -eu
if [ $# != 2 ] || [ ! -r "$1" ]; then
    echo "plot.sh: wanted a readable GROWTH.TSV and a directory" >&2
    exit 2
fi
command -v gnuplot > /dev/null || { echo "plot.sh: gnuplot is missing: apt install gnuplot-nox" >&2; exit 2; }
mkdir -p "$2"

# plot NAME TITLE YLABEL SETTINGS COLUMN [COLUMN2]: two curves are told apart by the first word of their columns
plot() {
    if ! awk -F '\t' -v name="$5" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) column = i }
        NR > 1 && column && $column != "nan" { found = 1 }
        END { exit !found }' "$data"; then
        echo "plot.sh: $data has no $5: no plot of it" >&2
        return 0
    fi
    drawn="'$data' using 'processes':'$5' title '${5%%_*}' with linespoints linewidth 2 pointtype 7 pointsize 0.6 linecolor '#1f5fa8'"
    key="unset key"
    if [ $# -gt 5 ]; then
        drawn="$drawn, '$data' using 'processes':'$6' title '${6%%_*}' with linespoints linewidth 2 pointtype 5 pointsize 0.6 linecolor '#c2571a'"
        key="set key bottom right"
    fi
    gnuplot << END
set terminal svg size 480,300 dynamic font 'sans-serif,12' background '#ffffff'
set output '$to/growth-$1.svg'
set datafile separator '\t'
set title '$2'
set xlabel 'other processes in the store'
set ylabel '$3'
set logscale x
set format x '10^{%L}'
set xrange [70:*]
set offsets graph 0.05, graph 0.05, graph 0.1, 0
unset mxtics
unset mytics
set grid linecolor '#dddddd'
$key
$4
plot $drawn
END
}

data=$1
to=$2
zero='set yrange [0:*]; set format y "%.0s%c"'
plot speed 'Speed, 64 processes at once' 'steps per second' "$zero" steps_per_s
plot latency 'Time of a process of 10 steps, 64 at once' 'milliseconds' 'set yrange [0:*]' p50_ms p99_ms
plot memory 'Memory of the program under that load' 'megabytes' 'set logscale y; set yrange [10:1000<*]' rss_mb
plot written 'Written to the device' 'bytes per step' 'set yrange [0:*]' bytes_per_step
plot open 'Opening the store' 'milliseconds' 'set logscale y; set yrange [1:1000<*]' open_ms
