/**
 * Compensated summation (Kahan, as improved by Neumaier). The sum and what it has lost so far are fields, so that the
 * inner loops allocate nothing.
 */
export class KahanSum {
  sum: number;
  lost: number;

  constructor(sum = 0, lost = 0) {
    this.sum = sum;
    this.lost = lost;
  }

  add(value: number): void {
    const { sum } = this;
    const total = sum + value;
    if (total > Number.MAX_VALUE || total < -Number.MAX_VALUE) this.lost = 0;
    else if (Math.abs(sum) >= Math.abs(value)) this.lost += sum - total + value;
    else this.lost += value - total + sum;
    this.sum = total;
  }
}
