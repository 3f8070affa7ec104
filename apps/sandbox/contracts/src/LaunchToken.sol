// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

interface IRouterForLaunch {
    function factory() external view returns (address);
    function WETH() external view returns (address);
}

interface IFactoryForLaunch {
    function getPair(address first, address second) external view returns (address);
    function createPair(address first, address second) external returns (address);
}

/// An ERC-20 of fixed supply with a renounceable owner: what every launch of the local market starts from.
/// The deployer receives the whole supply. With a router, the constructor also creates the pair against the
/// router's wrapped coin and lets the router spend the deployer's tokens, so a launch is two transactions.
abstract contract LaunchToken {
    string public name;
    string public symbol;
    uint8 public immutable decimals;
    uint256 public totalSupply;
    address public owner;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);

    modifier onlyOwner() {
        require(msg.sender == owner, "Ownable: caller is not the owner");
        _;
    }

    constructor(string memory name_, string memory symbol_, uint8 decimals_, uint256 supply_, address router_) {
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
        owner = msg.sender;
        emit OwnershipTransferred(address(0), msg.sender);
        totalSupply = supply_;
        balanceOf[msg.sender] = supply_;
        emit Transfer(address(0), msg.sender, supply_);
        if (router_ != address(0)) _openMarket(router_);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _transfer(msg.sender, to, amount);
        return true;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        _approve(msg.sender, spender, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != type(uint256).max) {
            require(allowed >= amount, "ERC20: insufficient allowance");
            allowance[from][msg.sender] = allowed - amount;
        }
        _transfer(from, to, amount);
        return true;
    }

    function transferOwnership(address newOwner) external onlyOwner {
        _setOwner(newOwner);
    }

    function renounceOwnership() external onlyOwner {
        _setOwner(address(0));
    }

    function _transfer(address from, address to, uint256 amount) internal virtual {
        _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) internal {
        require(to != address(0), "ERC20: transfer to the zero address");
        uint256 balance = balanceOf[from];
        require(balance >= amount, "ERC20: transfer amount exceeds balance");
        unchecked {
            balanceOf[from] = balance - amount;
            balanceOf[to] += amount;
        }
        emit Transfer(from, to, amount);
    }

    function _approve(address holder, address spender, uint256 amount) internal {
        allowance[holder][spender] = amount;
        emit Approval(holder, spender, amount);
    }

    function _setOwner(address newOwner) private {
        emit OwnershipTransferred(owner, newOwner);
        owner = newOwner;
    }

    function _openMarket(address router) private {
        IFactoryForLaunch factory = IFactoryForLaunch(IRouterForLaunch(router).factory());
        address wrapped = IRouterForLaunch(router).WETH();
        address pair = factory.getPair(address(this), wrapped);
        if (pair == address(0)) pair = factory.createPair(address(this), wrapped);
        _approve(msg.sender, router, type(uint256).max);
        _marketOpened(router, pair);
    }

    function _marketOpened(address router, address pair) internal virtual {}
}
