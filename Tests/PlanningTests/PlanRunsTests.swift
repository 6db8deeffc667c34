import Foundation
import Planning
import Primitives
import Testing

@Suite struct PlanRunsTests {
  private func parse(_ text: String) throws -> [PlanRun] { try PlanRuns.parse(Array(text.utf8), path: "runs.jsonl") }

  @Test func linesGoAndComeBack() throws {
    let runs = Synthetic.small(noise: 0.01).map { run in
      var run = run
      run.unique = 1e6
      run.flops = 1e12
      run.seed = 7
      return run
    }
    #expect(try PlanRuns.parse(try PlanRuns.serialize(runs), path: "runs") == runs)
    #expect(try parse("{\"n\":10,\"d\":20,\"loss\":3}\r\n\n") == [PlanRun(n: 10, d: 20, loss: 3)])
  }

  @Test(arguments: [
    ("{\"n\":10,\"d\":20}", "runs.jsonl:2: member \"loss\" is missing"),
    ("{\"n\":10,\"d\":20,\"loss\":0}", "runs.jsonl:2: member \"loss\" is 0.0, but has to be above 0"),
    ("{\"n\":10,\"d\":20,\"loss\":-1}", "runs.jsonl:2: member \"loss\" is -1.0, but has to be above 0"),
    ("{\"n\":10,\"d\":20,\"loss\":null}", "runs.jsonl:2: member \"loss\" is null"),
    ("{\"n\":10,\"d\":20,\"loss\":\"x\"}", "runs.jsonl:2: member \"loss\" is of the wrong kind"),
    ("{\"n\":10,\"d\":20,\"loss\":NaN}", "runs.jsonl:2: is no JSON"),
    ("{\"n\":10,\"d\":20,\"d_prime\":-1,\"loss\":2}", "runs.jsonl:2: member \"d_prime\" is -1.0, but can't be negative"),
    ("{\"n\":10,\"d\":20,\"seed\":-1,\"loss\":2}", "runs.jsonl:2: member \"seed\""),
    ("{\"n\":10,\"d\":20,\"loss\":2,\"domain\":\"\"}", "runs.jsonl:2: member \"domain\" is empty"),
    ("[1]", "runs.jsonl:2: is no JSON object"),
    ("{\"n\":10,", "runs.jsonl:2: is no JSON"),
  ]) func badLinesAreNamed(_ line: String, _ expected: String) throws {
    do {
      _ = try parse("{\"n\":10,\"d\":20,\"loss\":3}\n" + line)
      Issue.record("it was read")
    } catch {
      #expect("\(error)".hasPrefix(expected), "\(error)")
    }
  }

  @Test func missingAndEmptyFilesAreNamed() {
    #expect(throws: WeirError.self) { try PlanRuns.read("/nowhere/runs.jsonl") }
    #expect(throws: WeirError.self) { try parse("\n \n") }
  }

  @Test func meansNeedEveryDomain() {
    let runs = [
      PlanRun(n: 1, d: 2, domain: "a", loss: 2), PlanRun(n: 1, d: 2, domain: "a", loss: 4, seed: 1),
      PlanRun(n: 1, d: 2, domain: "b", loss: 5),
      PlanRun(n: 1, d: 3, domain: "a", loss: 2),
    ]
    #expect(PlanRuns.means(runs) == [PlanRun(n: 1, d: 2, loss: 4)])
  }
}
