import Storage
import TestSupport
import Testing
import Training

@Suite struct StepRecordTests {
  private func record(loss: Double, divergence: Double? = nil, skipped: LossGuard.Rejection? = nil) -> StepRecord {
    StepRecord(
      step: 3, tokens: 96, loss: loss, learningRate: 0.001, gradientNorm: 0.5, divergence: divergence, zLoss: nil, skipped: skipped,
      seconds: 0.123456, tokensPerSecond: 259.2)
  }

  @Test func linesHaveAFixedFormat() {
    #expect(
      record(loss: 5.25, divergence: 0.5).line
        == #"{"step": 3, "tokens": 96, "loss": 5.25, "lr": 0.001, "grad_norm": 0.5, "divergence": 0.5, "seconds": 0.1235, "tokens_per_second": 259.2}"#
    )
    #expect(record(loss: .nan, skipped: .nan).line.contains(#""loss": null"#))
    #expect(record(loss: .nan, skipped: .nan).line.contains(#""skipped": "nan""#))
  }

  @Test func logsReadBack() throws {
    try withTemporaryFolder { folder in
      let path = RunFolder(folder).log
      // "no number" stands in logs of earlier versions.
      let old = record(loss: .infinity, skipped: .nan).line.replacing("\"nan\"", with: "\"no number\"")
      let rollback = #"{"event":"rollback","from":3,"reason":"r","step":2,"to":2}"#
      try Files.write(Array([record(loss: 5.25).line, old, rollback].map { $0 + "\n" }.joined().utf8), to: path)
      let steps = try StepRecord.read(path)
      #expect(steps.map(\.step) == [3, 3])
      #expect(steps[0].loss == 5.25 && steps[0].skipped == nil)
      #expect(steps[1].loss.isNaN && steps[1].skipped == .nan)
      #expect(try LogEntry.read(path).last == .rollback(RollbackRecord(step: 2, from: 3, to: 2, reason: "r")))
    }
  }
}
