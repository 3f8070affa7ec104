// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// Buys, approves and sells a token in one eth_call and reports what really happened.
///
/// Never deployed: its code is put at the buyer's address by a state override, so that token and router meet the
/// very address that would trade. Everything it calls is hostile: each call has a gas limit of its own, copies a
/// bounded number of bytes and cannot make the report revert. Three failures mean "unknown", not "cannot
/// sell": CALL_GAS, CALL_FUNDS (the eth_call was made wrongly) and NO_QUOTE.
///
/// A token may notice the code at its buyer, the zero gas price of a careless eth_call, or that both trades share a
/// block: a clean report is one piece of evidence beside a simulation of plain transactions, not a proof.
contract RoundTripSimulator {
    enum Stage {
        NONE,
        BUY_QUOTED,
        BOUGHT,
        APPROVED,
        SELL_QUOTED,
        SOLD
    }

    enum Failure {
        NONE,
        REVERTED, // the leg after `stage` reverted
        LEG_GAS, // that leg used up its gas limit
        CALL_GAS, // too little gas was given to the eth_call: nothing is known
        CALL_FUNDS, // the address was given fewer coins than it shall spend: nothing is known
        NO_QUOTE, // router or pair gave no usable quote
        NO_BALANCE, // the token's balanceOf is unusable
        NOTHING_RECEIVED // the leg succeeded and brought nothing
    }

    struct Request {
        address router; // zero: trade with the pair itself
        address pair; // the pool that holds the token; needed without a router, else for `arrived` only
        address[] path; // from wrapped coin to token; the sell goes the same way back
        uint256 amountIn; // native units to spend; zero: buy nothing, sell what the address holds
        uint256 sellBps; // share of the bag to sell, 10000 = all
        uint256 feeBps; // the pair's fee; used only without a router
        uint256 legGas; // gas limit of each of buy, approve and sell
    }

    struct Result {
        Stage stage; // the last stage that was reached
        Failure failure; // why it did not go on
        bool buyOk; // the buy succeeded and brought tokens; false when none was asked for
        uint256 expectedOut; // token units quoted before the buy
        uint256 received; // token units the balance grew by
        bool sellOk; // the sell succeeded and brought coins
        uint256 sold; // token units offered in the sell
        uint256 arrived; // token units by which the pair's balance grew in the sell
        uint256 expectedBack; // native units quoted for `sold`
        uint256 receivedBack; // native units the balance grew by
        uint256 buyGas; // execution gas of the leg, without the 21000 and the calldata of a transaction
        uint256 approveGas; // zero when the allowance sufficed
        uint256 sellGas; // a lower bound: the buy has warmed the storage
        bytes revertData; // of the failed leg, at most 256 bytes
    }

    uint256 private constant WHOLE_BPS = 10_000;
    uint256 private constant VIEW_GAS = 200_000;
    uint256 private constant QUOTE_GAS = 500_000;
    uint256 private constant REPORT_GAS = 100_000;
    uint256 private constant REVERT_DATA_MAX = 256;

    receive() external payable {}

    /// Run the round trip. Reverts only when the request itself cannot be decoded.
    function simulate(Request calldata request) external returns (Result memory result) {
        uint256 bag;
        if (request.amountIn > 0) bag = _buyStage(request, result);
        else bag = _heldStage(request, result);
        if (result.failure != Failure.NONE) return result;
        // A balance that no real supply reaches must not overflow the share.
        if (bag > type(uint256).max / WHOLE_BPS) {
            result.failure = Failure.NO_BALANCE;
            return result;
        }
        result.sold = bag * (request.sellBps < WHOLE_BPS ? request.sellBps : WHOLE_BPS) / WHOLE_BPS;
        if (result.sold == 0) {
            result.failure = Failure.NOTHING_RECEIVED;
            return result;
        }
        if (!_approveStage(request, result)) return result;
        _sellStage(request, result);
    }

    /// One leg without a router, atomic because it is a call of its own. Only this contract calls it.
    function buyFromPair(address pair, address wrapped, uint256 amountIn, uint256 feeBps) external payable {
        require(msg.sender == address(this));
        (uint256 amountOut, bool wrappedFirst, bool known) = _pairQuote(pair, wrapped, true, amountIn, feeBps);
        require(known);
        _mustCall(wrapped, amountIn, abi.encodeWithSignature("deposit()"));
        _mustCall(wrapped, 0, abi.encodeWithSignature("transfer(address,uint256)", pair, amountIn));
        _mustSwap(pair, wrappedFirst ? 0 : amountOut, wrappedFirst ? amountOut : 0);
    }

    /// As buyFromPair. Sends the tokens first and asks for what those that arrived are worth.
    function sellToPair(address pair, address token, address wrapped, uint256 amount, uint256 feeBps) external {
        require(msg.sender == address(this));
        (uint256 before, bool known) = _balanceOf(token, pair);
        require(known);
        _mustCall(token, 0, abi.encodeWithSignature("transfer(address,uint256)", pair, amount));
        uint256 amountOut;
        bool wrappedFirst;
        (amountOut, known) = _balanceOf(token, pair);
        require(known && amountOut > before);
        (amountOut, wrappedFirst, known) = _pairQuote(pair, wrapped, false, amountOut - before, feeBps);
        require(known);
        _mustSwap(pair, wrappedFirst ? amountOut : 0, wrappedFirst ? 0 : amountOut);
        _mustCall(wrapped, 0, abi.encodeWithSignature("withdraw(uint256)", amountOut));
    }

    function _buyStage(Request calldata request, Result memory result) private returns (uint256) {
        if (!_gasSuffices(QUOTE_GAS, result)) return 0;
        bool known;
        (result.expectedOut, known) = _quote(request, request.path, true, request.amountIn);
        if (!known) return _fail(result, Failure.NO_QUOTE);
        result.stage = Stage.BUY_QUOTED;

        address token = request.path[request.path.length - 1];
        uint256 before;
        if (!_gasSuffices(VIEW_GAS, result)) return 0;
        (before, known) = _balanceOf(token, address(this));
        if (!known) return _fail(result, Failure.NO_BALANCE);

        if (address(this).balance < request.amountIn) return _fail(result, Failure.CALL_FUNDS);
        (address target, bytes memory data) = _buyCall(request);
        bool ok;
        (ok, result.buyGas) = _leg(target, request.amountIn, data, request.legGas, result);
        if (!ok) return 0;

        uint256 afterwards;
        if (!_gasSuffices(VIEW_GAS, result)) return 0;
        (afterwards, known) = _balanceOf(token, address(this));
        if (!known) return _fail(result, Failure.NO_BALANCE);
        if (afterwards <= before) return _fail(result, Failure.NOTHING_RECEIVED);
        result.received = afterwards - before;
        result.buyOk = true;
        result.stage = Stage.BOUGHT;
        return result.received;
    }

    function _heldStage(Request calldata request, Result memory result) private view returns (uint256 bag) {
        bool known;
        if (request.path.length == 0) return _fail(result, Failure.NO_QUOTE);
        if (!_gasSuffices(VIEW_GAS, result)) return 0;
        (bag, known) = _balanceOf(request.path[request.path.length - 1], address(this));
        if (!known) return _fail(result, Failure.NO_BALANCE);
    }

    function _approveStage(Request calldata request, Result memory result) private returns (bool) {
        address token = request.path[request.path.length - 1];
        if (request.router != address(0)) {
            if (!_gasSuffices(VIEW_GAS, result)) return false;
            (uint256 allowed, bool known) =
                _view(token, abi.encodeWithSignature("allowance(address,address)", address(this), request.router));
            if (!known || allowed < result.sold) {
                bytes memory data = abi.encodeWithSignature("approve(address,uint256)", request.router, result.sold);
                bool ok;
                (ok, result.approveGas) = _leg(token, 0, data, request.legGas, result);
                if (!ok) return false;
            }
        }
        result.stage = Stage.APPROVED;
        return true;
    }

    function _sellStage(Request calldata request, Result memory result) private {
        address[] memory back = _reversed(request.path);
        bool known;
        if (!_gasSuffices(QUOTE_GAS + VIEW_GAS, result)) return;
        (result.expectedBack, known) = _quote(request, back, false, result.sold);
        if (!known) {
            _fail(result, Failure.NO_QUOTE);
            return;
        }
        result.stage = Stage.SELL_QUOTED;

        (uint256 pairBefore, bool pairKnown) = _balanceOf(back[0], request.pair);
        uint256 coinsBefore = address(this).balance;
        (address target, bytes memory data) = _sellCall(request, back, result.sold);
        bool ok;
        (ok, result.sellGas) = _leg(target, 0, data, request.legGas, result);
        if (!ok) return;

        uint256 coinsAfter = address(this).balance;
        result.receivedBack = coinsAfter > coinsBefore ? coinsAfter - coinsBefore : 0;
        if (pairKnown && _gasSuffices(VIEW_GAS, result)) {
            (uint256 pairAfter, bool stillKnown) = _balanceOf(back[0], request.pair);
            if (stillKnown && pairAfter > pairBefore) result.arrived = pairAfter - pairBefore;
        }
        result.stage = Stage.SOLD;
        result.sellOk = result.receivedBack > 0;
        if (!result.sellOk) _fail(result, Failure.NOTHING_RECEIVED);
    }

    function _buyCall(Request calldata request) private view returns (address, bytes memory) {
        if (request.router == address(0)) {
            return (
                address(this),
                abi.encodeCall(this.buyFromPair, (request.pair, request.path[0], request.amountIn, request.feeBps))
            );
        }
        return (
            request.router,
            abi.encodeWithSignature(
                "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)",
                0,
                request.path,
                address(this),
                block.timestamp
            )
        );
    }

    function _sellCall(Request calldata request, address[] memory back, uint256 amount)
        private
        view
        returns (address, bytes memory)
    {
        if (request.router == address(0)) {
            return (
                address(this),
                abi.encodeCall(this.sellToPair, (request.pair, back[0], back[1], amount, request.feeBps))
            );
        }
        return (
            request.router,
            abi.encodeWithSignature(
                "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)",
                amount,
                0,
                back,
                address(this),
                block.timestamp
            )
        );
    }

    /// Return the quote along `path`, and whether there is one. Without a router the path has two ends and one pair.
    function _quote(Request calldata request, address[] memory path, bool buys, uint256 amount)
        private
        view
        returns (uint256 amountOut, bool known)
    {
        if (path.length < 2) return (0, false);
        if (request.router == address(0)) {
            if (path.length != 2) return (0, false);
            (amountOut,, known) = _pairQuote(request.pair, request.path[0], buys, amount, request.feeBps);
            return (amountOut, known && amountOut > 0);
        }
        bytes memory data = abi.encodeWithSignature("getAmountsOut(uint256,address[])", amount, path);
        address router = request.router;
        uint256 size = 64 + 32 * path.length; // offset, length, one amount per hop
        bool ok;
        assembly {
            let out := mload(0x40)
            ok := staticcall(QUOTE_GAS, router, add(data, 32), mload(data), out, size)
            if or(lt(returndatasize(), size), iszero(ok)) { ok := 0 }
            if ok { amountOut := mload(add(out, sub(size, 32))) }
        }
        return (amountOut, ok && amountOut > 0);
    }

    /// Return what the pair pays for `amount`, whether the wrapped coin is its token0, and whether all this is known.
    /// Source: Uniswap v2 whitepaper 3.2.1; rounds down as the pair requires.
    function _pairQuote(address pair, address wrapped, bool buys, uint256 amount, uint256 feeBps)
        private
        view
        returns (uint256 amountOut, bool wrappedFirst, bool known)
    {
        (uint256 first, bool ok) = _view(pair, abi.encodeWithSignature("token0()"));
        if (!ok || feeBps >= WHOLE_BPS || amount > type(uint128).max) return (0, false, false);
        wrappedFirst = first == uint256(uint160(wrapped));
        uint256 reserveIn;
        uint256 reserveOut;
        (reserveIn, reserveOut, known) = _reserves(pair);
        if (!known || reserveIn == 0 || reserveOut == 0) return (0, wrappedFirst, false);
        if (buys != wrappedFirst) (reserveIn, reserveOut) = (reserveOut, reserveIn);
        uint256 taken = amount * (WHOLE_BPS - feeBps);
        amountOut = taken * reserveOut / (reserveIn * WHOLE_BPS + taken);
    }

    function _reserves(address pair) private view returns (uint256 reserve0, uint256 reserve1, bool known) {
        bytes memory data = abi.encodeWithSignature("getReserves()");
        assembly {
            known := staticcall(VIEW_GAS, pair, add(data, 32), mload(data), 0, 64)
            if lt(returndatasize(), 64) { known := 0 }
            if known {
                reserve0 := mload(0)
                reserve1 := mload(32)
            }
        }
        if (reserve0 > type(uint112).max || reserve1 > type(uint112).max) known = false;
    }

    /// Make one leg within its gas limit; on failure write the reason and the revert data into the result.
    function _leg(address target, uint256 value, bytes memory data, uint256 limit, Result memory result)
        private
        returns (bool ok, uint256 used)
    {
        if (!_gasSuffices(limit, result)) return (false, 0);
        used = gasleft();
        assembly {
            ok := call(limit, target, value, add(data, 32), mload(data), 0, 0)
        }
        used -= gasleft();
        if (ok) return (true, used);
        result.revertData = _returned();
        // Each frame keeps a 64th back, so a leg that ran dry some frames down has not used quite all.
        result.failure = used >= limit - limit / 8 ? Failure.LEG_GAS : Failure.REVERTED;
    }

    function _mustSwap(address pair, uint256 amount0, uint256 amount1) private {
        bytes memory none;
        _mustCall(
            pair,
            0,
            abi.encodeWithSignature("swap(uint256,uint256,address,bytes)", amount0, amount1, address(this), none)
        );
    }

    /// Call and bubble the first bytes of a revert; an answer of `false` is a failure too, an empty one is not.
    function _mustCall(address target, uint256 value, bytes memory data) private {
        bool ok;
        bool refused;
        assembly {
            mstore(0, 1)
            ok := call(gas(), target, value, add(data, 32), mload(data), 0, 32)
            refused := and(gt(returndatasize(), 31), iszero(mload(0)))
        }
        if (!ok) {
            bytes memory reason = _returned();
            assembly {
                revert(add(reason, 32), mload(reason))
            }
        }
        require(!refused, "returned false");
    }

    function _balanceOf(address token, address holder) private view returns (uint256, bool) {
        return _view(token, abi.encodeWithSignature("balanceOf(address)", holder));
    }

    /// Read one word; false when the call fails, burns its gas or answers with less than a word.
    function _view(address target, bytes memory data) private view returns (uint256 word, bool known) {
        assembly {
            known := staticcall(VIEW_GAS, target, add(data, 32), mload(data), 0, 32)
            if lt(returndatasize(), 32) { known := 0 }
            if known { word := mload(0) }
        }
    }

    /// Return the first bytes of what the last call returned.
    function _returned() private pure returns (bytes memory data) {
        assembly {
            let size := returndatasize()
            if gt(size, REVERT_DATA_MAX) { size := REVERT_DATA_MAX }
            data := mload(0x40)
            mstore(0x40, add(data, add(32, and(add(size, 31), not(31)))))
            mstore(data, size)
            returndatacopy(add(data, 32), 0, size)
        }
    }

    /// Tell whether a call of `limit` gas can really be given that much and the report still be written.
    function _gasSuffices(uint256 limit, Result memory result) private view returns (bool) {
        uint256 left = gasleft();
        if (limit <= type(uint64).max && left > REPORT_GAS && left - REPORT_GAS >= limit + limit / 63) return true;
        result.failure = Failure.CALL_GAS;
        return false;
    }

    function _fail(Result memory result, Failure failure) private pure returns (uint256) {
        result.failure = failure;
        return 0;
    }

    function _reversed(address[] calldata path) private pure returns (address[] memory back) {
        back = new address[](path.length);
        for (uint256 i = 0; i < path.length; ++i) back[i] = path[path.length - 1 - i];
    }
}
