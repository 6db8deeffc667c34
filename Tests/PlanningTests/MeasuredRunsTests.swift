import Foundation
import Planning
import Primitives
import Testing

@Suite struct MeasuredRunsTests {
  private func parse(_ text: String) throws -> [MeasuredRun] { try MeasuredRuns.parse(Array(text.utf8), path: "runs.jsonl") }

  @Test func writtenRunsAreRead() throws {
    let runs = Synthetic.small(noise: 0.01).map { run in
      var run = run
      run.unique = 1e6
      run.flops = 1e12
      run.seed = 7
      return run
    }
    #expect(try MeasuredRuns.parse(try MeasuredRuns.serialize(runs), path: "runs") == runs)
    #expect(try parse("{\"n\":10,\"d\":20,\"loss\":3}\r\n\n") == [MeasuredRun(n: 10, d: 20, loss: 3)])
  }

  @Test(arguments: [
    ("{\"n\":10,\"d\":20}", "runs.jsonl:2: member \"loss\" is missing"),
    ("{\"n\":10,\"d\":20,\"loss\":0}", "runs.jsonl:2: member \"loss\" is 0.0, not above 0"),
    ("{\"n\":10,\"d\":20,\"loss\":-1}", "runs.jsonl:2: member \"loss\" is -1.0, not above 0"),
    ("{\"n\":10,\"d\":20,\"loss\":null}", "runs.jsonl:2: member \"loss\" is null"),
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
    #expect(throws: WeirError.self) { try MeasuredRuns.read("/nowhere/runs.jsonl") }
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
}
