import Foundation
import Planning
import Primitives
import Testing

@Suite struct MeasuredRunsTests {
  /// The runs of a file, without their lines.
  private func parse(_ text: String, path: String = "runs.jsonl", columns: RunColumns = RunColumns()) throws -> [MeasuredRun] {
    try RunTable.parse(Array(text.utf8), path: path, columns: columns).runs.map { run in
      var run = run
      run.line = nil
      return run
    }
  }

  private func reason(_ text: String, path: String = "runs.csv", names: String? = nil, units: String? = nil) -> String {
    do {
      _ = try RunTable.parse(Array(text.utf8), path: path, columns: RunColumns(names: names, units: units))
      return ""
    } catch { return "\(error)" }
  }

  @Test func writtenRunsAreRead() throws {
    let runs = Synthetic.small(noise: 0.01).map { run in
      var run = run
      run.unique = 1e6
      run.flops = 1e12
      run.seed = 7
      (run.run, run.trunk, run.head) = ("a", "b", 3)
      return run
    }
    #expect(try parse(String(decoding: MeasuredRuns.serialize(runs), as: UTF8.self)) == runs)
    #expect(try parse("{\"n\":10,\"d\":20,\"loss\":3}\r\n\n") == [MeasuredRun(n: 10, d: 20, loss: 3)])
  }

  @Test(arguments: [
    ("{\"n\":10,\"d\":20}", "runs.jsonl:2: member \"loss\" is missing"),
    ("{\"n\":10,\"d\":20,\"loss\":0}", "runs.jsonl:2: member \"loss\" is 0.0, not above 0"),
    ("{\"n\":10,\"d\":20,\"loss\":-1}", "runs.jsonl:2: member \"loss\" is -1.0, not above 0"),
    ("{\"n\":10,\"d\":20,\"loss\":null}", "runs.jsonl:2: member \"loss\" is missing"),
    ("{\"n\":10,\"d\":20,\"loss\":\"x\"}", "runs.jsonl:2: member \"loss\" has the wrong type"),
    ("{\"n\":10,\"d\":20,\"loss\":NaN}", "runs.jsonl:2: is not valid JSON"),
    ("{\"n\":10,\"d\":20,\"d_prime\":-1,\"loss\":2}", "runs.jsonl:2: member \"d_prime\" is -1.0, not 0 or more"),
    ("{\"n\":10,\"d\":20,\"seed\":-1,\"loss\":2}", "runs.jsonl:2: member \"seed\""),
    ("{\"n\":10,\"d\":20,\"loss\":2,\"domain\":\"\"}", "runs.jsonl:2: member \"domain\" is empty"),
    ("[1]", "runs.jsonl:2: is not a JSON object"),
    ("{\"n\":10,", "runs.jsonl:2: is not valid JSON"),
  ]) func badLinesAreNamed(_ line: String, _ expected: String) throws {
    do {
      _ = try parse("{\"n\":10,\"d\":20,\"loss\":3}\n" + line)
      Issue.record("no error was thrown")
    } catch {
      #expect("\(error)".hasPrefix(expected), "\(error)")
    }
  }

  @Test func missingAndEmptyFilesAreNamed() {
    #expect(throws: WeirError.self) { try RunTable.read("/nowhere/runs.jsonl") }
    #expect(throws: WeirError.self) { try parse("\n \n") }
  }

  @Test func meansNeedEveryDomain() {
    let runs = [
      MeasuredRun(n: 1, d: 2, domain: "a", loss: 2), MeasuredRun(n: 1, d: 2, domain: "a", loss: 4, seed: 1),
      MeasuredRun(n: 1, d: 2, domain: "b", loss: 5),
      MeasuredRun(n: 1, d: 3, domain: "a", loss: 2),
    ]
    #expect(MeasuredRuns.means(runs) == [MeasuredRun(n: 1, d: 2, loss: 4)])
  }

  @Test func tablesAreReadWithTheirNamesAndUnits() throws {
    let columns = try RunColumns(names: "n=params, d=tokens,loss=val_loss,model=name", units: "n=M,d=b")
    let text = "\u{feff}name,tokens,params,\"val_loss\"\r\n\"a, \"\"b\"\"\",2.5,100,3.25\r\n\r\nc,1,400,3e0\n"
    #expect(
      try parse(text, path: "runs.csv", columns: columns)
        == [MeasuredRun(model: "a, \"b\"", n: 1e8, d: 2.5e9, loss: 3.25), MeasuredRun(model: "c", n: 4e8, d: 1e9, loss: 3)])
    // Without a name that tells, the first line does.
    #expect(try parse("n,d,loss\n1,2,3\n", path: "-").count == 1)
    #expect(
      try parse("{\"params\":1,\"tokens\":2,\"val_loss\":3}", columns: RunColumns(names: "n=params,d=tokens,loss=val_loss", units: nil))
        == [MeasuredRun(n: 1, d: 2, loss: 3)])
  }

  @Test func mixturesAndTargetsAreRead() throws {
    let columns = try RunColumns(names: "h=weight_*,loss=*_loss", units: nil)
    let text = "weight_web,weight_code,n,d,web_loss,code_loss\n0.25,0.75,10,20,3,2\n0.5,0.5,10,20,,2.5\n0.5,0.5,20,20,2.9,2.4\n"
    let table = try RunTable.parse(Array(text.utf8), path: "runs.csv", columns: columns)
    #expect(table.sources == ["web", "code"] && table.runs.count == 5)
    #expect(table.runs[0].mixture == [0.25, 0.75] && table.runs[0].domain == "web" && table.runs[1].domain == "code")
    #expect(table.notes == ["1 lines have no loss for some target, which is fitted without them: 3"])
    let off = text.replacing("0.25,0.75", with: "0.25,0.7")
    #expect(reason(off, names: "h=weight_*,loss=*_loss").hasPrefix("runs.csv:2: the columns weight_* has shares that sum to 0.9500"))
    let none = "weight_a,weight_b,n,d,web_loss,code_loss\n0.2,0.8,10,20,3,\n"
    #expect(reason(none, names: "h=weight_*,loss=*_loss").contains("column 6 (code_loss) has no measurement"))
  }

  @Test func badTablesAreNamed() throws {
    #expect(reason("n,d\n1,2\n").hasPrefix("runs.csv:1: column \"loss\" is missing"))
    #expect(reason("n,d,loss\n1,2,3\n1,x,3\n").hasPrefix("runs.csv:3: column 2 (d) has the wrong type"))
    #expect(reason("n,d,loss\n1,2,nan\n").hasPrefix("runs.csv:2: column 3 (loss) is not finite"))
    #expect(reason("n,d,loss\n1,2,\n").hasPrefix("runs.csv:2: column 3 (loss) is empty"))
    #expect(reason("n,d,loss\n1,2\n").hasPrefix("runs.csv:2: has 2 cells, but the header has 3"))
    #expect(reason("n,d,loss\n\"1,2,3\n").hasPrefix("runs.csv:2: has a quote that is not closed"))
    #expect(reason("n,d,loss\n1e8,20,3\n1e8,2e9,2.5\n").hasPrefix("runs.csv:2: column 2 (d) is 20, beside 2e+09 in line 3"))
    #expect(reason("n,d,loss\n1,2,3\n", names: "x=y").hasPrefix("columns: "))
    #expect(reason("n,d,loss\n1,2,3\n", names: "n=*_p").hasPrefix("columns: "))
    #expect(reason("n,d,loss\n1,2,3\n", units: "d=Q").hasPrefix("units: "))
    let twice = try RunTable.parse(Array("n,d,loss\n1,2,3\n1,2,3\n".utf8), path: "runs.csv")
    #expect(twice.runs.count == 1 && twice.notes == ["1 lines repeat an earlier one and count once: 3"])
  }
}
