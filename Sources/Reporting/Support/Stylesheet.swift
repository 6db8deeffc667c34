/// The style sheet of the page, for light and dark screens and for print: system fonts, and a palette for color-blind readers (after Okabe and
/// Ito).
enum Stylesheet {
  /// Colors by role: `s0` base, `s1` reference, `s2` the main result, `s3` … `s6` other series; `e0` … `e5` enrichment, the strongest color for
  /// the most enriched.
  private static let light = """
    --paper:#fdfdfb;--card:#f5f5f1;--ink:#1d2126;--soft:#575e67;--rule:#dcdcd5;--grid:#ebebe5;
    --s0:#5b626b;--s1:#0b6aa8;--s2:#bf4a00;--s3:#8b3f86;--s4:#00755a;--s5:#8a6400;--s6:#4338a8;--soft1:#cfe0ec;--soft2:#f3c9a8;--soft3:#e3cbe1;
    --e0:#f1f1ec;--e1:#ebe6da;--e2:#f6e2c6;--e3:#f0bd84;--e4:#dd8a3e;--e5:#a84000;--on:#1d2126;--on5:#ffffff;--good:#00755a;--bad:#a3324b;
    """
  private static let dark = """
    --paper:#15181c;--card:#1d2126;--ink:#e7e8e6;--soft:#a5acb4;--rule:#363c44;--grid:#272c33;
    --s0:#a5acb4;--s1:#62b4ea;--s2:#f08c46;--s3:#d593cf;--s4:#43c59e;--s5:#d9b84a;--s6:#aba6ff;--soft1:#1f4560;--soft2:#6e3d17;--soft3:#573a57;
    --e0:#2c323a;--e1:#3b3730;--e2:#4f3b24;--e3:#6b4620;--e4:#95541a;--e5:#f0914a;--on:#f0f0ee;--on5:#15181c;--good:#43c59e;--bad:#f08a9c;
    """

  /// Has neither `<` nor `&`, so that the page is well-formed XML.
  static let text = """
    :root{color-scheme:light;\(light)}
    @media (prefers-color-scheme:dark){:root{color-scheme:dark;\(dark)}}
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%}
    body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",\
    "Noto Sans","Liberation Sans",Arial,sans-serif;font-variant-numeric:tabular-nums lining-nums}
    header,main,footer{max-width:1008px;margin:0 auto;padding:0 24px}
    header{padding-top:56px}
    h1{font-size:32px;line-height:1.2;font-weight:650;letter-spacing:-.015em;margin:0 0 8px;overflow-wrap:anywhere}
    h2{font-size:21px;line-height:1.3;font-weight:650;letter-spacing:-.008em;margin:0 0 4px}
    h2 .no{color:var(--soft);font-weight:400;margin-right:.55em}
    h3{font-size:15px;font-weight:650;margin:28px 0 4px}
    p{margin:6px 0;max-width:72ch}
    .meta,.lead{color:var(--soft)}
    section{margin:56px 0;padding-top:20px;border-top:1px solid var(--rule)}
    nav{margin:20px 0 0;font-size:14px;line-height:1.9}
    nav a{color:var(--soft);text-decoration:none;margin-right:1.4em;white-space:nowrap;display:inline-block}
    nav a:hover,nav a:focus{color:var(--ink);text-decoration:underline}
    .tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:20px 28px;margin:24px 0 28px}
    .tile{border-top:2px solid var(--ink);padding:8px 0 4px}
    .tile .name{font-size:13px;color:var(--soft);line-height:1.35}
    .tile .value{font-size:30px;line-height:1.25;font-weight:600;letter-spacing:-.02em}
    .tile .than{font-size:13px;line-height:1.4}
    .good{color:var(--good)}.bad{color:var(--bad)}
    figure{margin:20px 0 28px}
    .verdict{font-size:19px;line-height:1.45;margin:20px 0 8px}
    .caveat{color:var(--soft);font-size:15px}
    .scroll{overflow-x:auto;-webkit-overflow-scrolling:touch;background:linear-gradient(to right,var(--paper) 30%,transparent) 0 0/40px 100% \
    no-repeat local,linear-gradient(to left,var(--paper) 30%,transparent) 100% 0/40px 100% no-repeat local,\
    linear-gradient(to right,var(--rule),transparent) 0 0/12px 100% no-repeat scroll,\
    linear-gradient(to left,var(--rule),transparent) 100% 0/12px 100% no-repeat scroll}
    .slim{display:none}
    figcaption{max-width:72ch;margin-top:6px;font-size:15px}
    .figure-title{font-size:15px;font-weight:650;margin-bottom:2px}
    .pair{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:0 32px;align-items:start}
    svg{display:block;width:100%;height:auto;overflow:visible}
    table{border-collapse:collapse;font-size:14px;line-height:1.4;margin:10px 0;min-width:50%}
    caption{text-align:left;color:var(--soft);font-size:13px;padding:0 0 6px}
    th,td{text-align:left;padding:5px 18px 5px 0;vertical-align:top;border-bottom:1px solid var(--grid);font-weight:400}
    thead th{color:var(--soft);font-size:13px;border-bottom:1px solid var(--rule);vertical-align:bottom;white-space:nowrap}
    .n{text-align:right;white-space:nowrap}
    th:last-child,td:last-child{padding-right:2px}
    sup{font-size:.75em;line-height:0}
    tr.strong th,tr.strong td{font-weight:650}
    details{margin:12px 0}summary{cursor:pointer;color:var(--soft);font-size:14px}
    code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
    pre{background:var(--card);padding:12px 14px;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
    footer{color:var(--soft);font-size:13px;padding-top:16px;padding-bottom:48px}
    footer::before{content:"";display:block;border-top:1px solid var(--rule);margin-bottom:14px}
    a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--s1);outline-offset:2px}
    svg text{font-size:12px;fill:var(--ink)}
    svg .tick{font-size:11px;fill:var(--soft)}
    svg .label{font-size:12px;fill:var(--soft)}
    svg .small{font-size:11px}svg .tiny{font-size:10.5px}svg .soft{fill:var(--soft)}
    svg .bold{font-weight:650}
    svg .direct{font-weight:600}
    .grid{stroke:var(--grid);stroke-width:1}.axis{stroke:var(--soft);stroke-width:1;opacity:.6}
    .leader{stroke:var(--soft);stroke-width:.8;opacity:.7}.guide{stroke:var(--soft);stroke-width:1;stroke-dasharray:4 4;fill:none}
    \(series)
    .k0{fill:var(--card)}.k1{fill:var(--soft1)}.k2{fill:var(--soft2)}.k3{fill:var(--soft3)}.flow{fill:var(--soft1);opacity:.5}
    .frame-line{fill:none;stroke:var(--paper);stroke-width:3}
    .e0{fill:var(--e0)}.e1{fill:var(--e1)}.e2{fill:var(--e2)}.e3{fill:var(--e3)}.e4{fill:var(--e4)}.e5{fill:var(--e5)}
    svg .on{fill:var(--on)}svg .on5{fill:var(--on5)}
    .l5{stroke-dasharray:8 3}.l6{stroke-dasharray:3 3}.beyond{stroke-dasharray:2 4}
    .interval{fill:var(--s2);opacity:.16}
    @media screen and (max-width:760px){
    header,main,footer{padding-left:16px;padding-right:16px}header{padding-top:28px}h1{font-size:26px}section{margin:40px 0}
    .pair{grid-template-columns:minmax(0,1fr)}.wide{display:none}.slim{display:block}.slim svg{max-width:520px!important}
    table{min-width:100%}thead th,.n{white-space:normal}th,td{padding-right:12px;overflow-wrap:anywhere}.verdict{font-size:17px}
    .cards,.cards tbody,.cards tr,.cards caption{display:block}.cards thead,.cards td:empty{display:none}
    .cards tr{border-bottom:1px solid var(--rule);padding:6px 0}.cards th,.cards td{display:flex;justify-content:space-between;gap:20px;\
    border:0;padding:1px 0;text-align:right}.cards th{text-align:left;font-weight:650}
    .cards td::before{content:attr(data-title);color:var(--soft);text-align:left;flex-shrink:0}
    .tiles{grid-template-columns:repeat(auto-fill,minmax(150px,1fr))}.tile .value{font-size:25px}
    }
    @media print{
    :root{color-scheme:light;\(light)--paper:#fff}
    body{font-size:11pt}nav{display:none}header{padding-top:0}section{margin:24px 0}figure,tr,.tile{break-inside:avoid}\
    .head{break-inside:avoid}.head,h3,.figure-title,caption{break-after:avoid}.pair{gap:0 20px}
    .scroll{overflow:visible;background:none}
    *{-webkit-print-color-adjust:exact;print-color-adjust:exact}
    }
    """

  /// The fill, line, open mark and text of each series.
  private static let series = (0...6).map { index in
    """
    .f\(index){fill:var(--s\(index))}.l\(index){stroke:var(--s\(index));stroke-width:1.8;fill:none;stroke-linejoin:round}\
    .thin.l\(index){stroke-width:1;opacity:.75}\
    .o\(index){fill:var(--paper);stroke:var(--s\(index));stroke-width:1.8}svg .t\(index){fill:var(--s\(index))}
    """
  }.joined(separator: "\n")
}
